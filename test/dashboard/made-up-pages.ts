import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { startBrowser, visit } from './chromium.ts';
import { type MadeUpMesh, startMadeUpMesh } from './made-up-mesh.ts';

/** How long what a page is to show may take. */
export const WAIT = { timeout: 10_000 };
/** Looks, in the page, for what a reader of the screen would miss. */
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export let mesh: MadeUpMesh;
export let browser: Browser;

/** Starts the mesh and the browser for the tests of the suite that it is called in. */
export function startPages(): void {
  beforeAll(async () => {
    mesh = await startMadeUpMesh();
    browser = await startBrowser();
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    await mesh?.close();
  });
}

export const open = (hash = '', options = {}) => visit(browser, `${mesh.url}/${hash}`, options);
export const hashOf = (page: Page) => decodeURIComponent(new URL(page.url()).hash);
export const texts = (page: Page, selector: string) => page.locator(selector).allTextContents();
/** "1,234.5" as 1234.5. */
export const numberOf = (text: string) => Number(text.replaceAll(',', ''));

/** What axe finds, with an element each. */
export async function faultsByAxe(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: typeof import('axe-core') }).axe.run();
    return violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes[0]!.html.slice(0, 200)}`);
  });
}
