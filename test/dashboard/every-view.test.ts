import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { ID } from './made-up-explanation.ts';
import { open, startPages, WAIT } from './made-up-pages.ts';

/** Looks, in the page, for what a reader of the screen would miss. */
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** The widest, one without secondary columns, and one whose rows are stacked. Axe looks at the first and the last. */
const WIDTHS = [1440, 1024, 390];
/** Rules about colours: all that another theme may break. */
const COLOURS = ['color-contrast', 'link-in-text-block'];

/** Every view in every shape that it has an address of, and what is there once it is. */
const VIEWS: readonly [hash: string, shown: string][] = [
  ['#/overview?open=retarget-cart-7d', 'tr.child'],
  ['#/overview?send=true', '.steps'],
  ['#/attribution', 'tbody th'],
  ['#/attribution?cell=last_click%0Apartner-coupons', '.drawer tbody tr'],
  ['#/paths?touches=2', '.pmark'],
  ['#/conversion', 'tbody th'],
  [`#/conversion?id=${ID}`, '.touch tbody th'],
  ['#/conversion?id=lost&scale=log&tab=clicks', '.code .event'],
  ['#/conversion?id=unknown', 'tbody th'],
  ['#/live', '.tail td'],
  ['#/health', '.letters td'],
  ['#/health?record=raw-events+1+5740831', '.dump'],
];

const OPENERS: readonly [opener: string, opened: string][] = [
  ['.filters .pill:has-text("–")', '.presets'],
  ['.pill:has-text("Campaign")', '.pick .opt'],
  ['.pill:has-text("Model")', '.opt.linear'],
  ['.pill:has-text("vs")', '.opt.one'],
  ['button:has-text("metadata…")', '.menu form'],
  ['text=How was this counted?', '.method dl'],
  ['button:has-text("Shortcuts")', '#keys[open]'],
];

describe('every view', { tags: ['chromium', 'long'] }, () => {
  startPages();

  test.each(VIEWS)('is no wider than the window, and axe finds nothing in either theme: %s', async (hash, shown) => {
    const { page, context, faults } = await open(hash);
    await page.waitForSelector(shown);
    await page.evaluate(AXE);
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth), WAIT).toBe(width);
      if (width === 1024) continue;
      await page.emulateMedia({ colorScheme: 'light' });
      expect(await faultsByAxe(page), `light ${width}`).toEqual([]);
      await page.emulateMedia({ colorScheme: 'dark' });
      expect(await faultsByAxe(page, COLOURS), `dark ${width}`).toEqual([]);
    }
    expect(await page.locator(shown).count()).toBeGreaterThan(0);
    // What is not known of a conversion is no fault.
    expect(faults.filter((fault) => !fault.includes('404'))).toEqual([]);
    await context.close();
  });

  test('axe finds nothing in what opens', async () => {
    const { page, context } = await open();
    await page.waitForSelector('tbody th');
    await page.evaluate(AXE);
    for (const [opener, opened] of OPENERS) {
      await page.click(opener);
      await page.waitForSelector(opened);
      expect(await faultsByAxe(page), opener).toEqual([]);
      await page.keyboard.press('Escape');
      await page.waitForSelector(opened, { state: 'hidden' });
    }
    await context.close();
  });
});

/** What axe finds, with an element each. */
async function faultsByAxe(page: Page, rules?: readonly string[]): Promise<string[]> {
  return page.evaluate(async (only) => {
    const { violations } = await (globalThis as unknown as { axe: typeof import('axe-core') }).axe.run({
      resultTypes: ['violations'],
      ...(only && { runOnly: [...only] }),
    });
    return violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes[0]!.html.slice(0, 200)}`);
  }, rules);
}
