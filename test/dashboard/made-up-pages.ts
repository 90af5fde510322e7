import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { startBrowser, visit } from './chromium.ts';
import { type MadeUpMesh, startMadeUpMesh } from './made-up-mesh.ts';

/** How long what a page is to show may take. */
export const WAIT = { timeout: 10_000 };

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
/** Lines of the file that the page hands over when something is clicked. */
export async function savedBy(page: Page, selector: string): Promise<string[]> {
  const saved = page.waitForEvent('download');
  await page.click(selector);
  return readFileSync(await (await saved).path(), 'utf8')
    .trimEnd()
    .split('\r\n');
}

/** "1,234.5" as 1234.5. */
export const numberOf = (text: string) => Number(text.replaceAll(',', ''));
