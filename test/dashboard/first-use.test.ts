import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildDashboard } from '../../services/dashboard/build.ts';
import { type MeshProcess, startMeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';
import { startBrowser, visit } from './chromium.ts';

const WAIT = { timeout: 20_000 };
const folder = temporaryFolder();
let mesh: MeshProcess;
let browser: Browser;

const tiles = async (page: Page) => (await page.locator('.kpi .val').allTextContents()).join(' ');

async function send(...events: object[]): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${mesh.url}/api/v1/events`, { method: 'POST', headers, body: JSON.stringify(events) });
  expect(await response.json()).toMatchObject({ rejected: 0 });
}

describe('on a mesh that nothing has been sent to', { tags: ['chromium'] }, () => {
  beforeAll(async () => {
    // What `clickmesh up` serves.
    await buildDashboard(join(import.meta.dirname, '../../services/dashboard/dist'));
    mesh = await startMeshProcess(folder.path, { TRACES_URL: 'http://traces.example/' });
    browser = await startBrowser();
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    await mesh?.stop();
    folder[Symbol.dispose]();
  });

  test('a button sends a click and a purchase, and shows them counted; then so does the overview', async () => {
    const { page, context, faults } = await visit(browser, mesh.url);
    await page.waitForSelector('#send-test');
    expect(await tiles(page)).toBe('– – – –');
    await expect.poll(() => page.textContent('.chip'), WAIT).toContain('no events yet');
    await page.click('#send-test');
    await expect.poll(() => tiles(page), WAIT).toBe('1 1 19.99 100.00%');
    expect(await page.locator('.steps li.done').count()).toBe(4);
    await page.click('#send-test');
    await page.waitForSelector('tbody th:has-text("test-campaign")');
    await expect.poll(() => tiles(page), WAIT).toBe('1 1 19.99 100.00%');
    await expect.poll(() => page.textContent('.chip'), WAIT).toContain('complete through');
    await expect.poll(() => page.evaluate(newestBarHasColour), WAIT).toBe(true);
    await expect.poll(() => page.textContent('.stamp'), WAIT).toContain('reconciles');
    // A decision that has not come yet is no fault.
    expect(faults.filter((fault) => !fault.includes('404'))).toEqual([]);
    await context.close();
  });

  describe('what others send', testsOfOthers);
});

function testsOfOthers(): void {
  test('what others send shows without being asked for, in the list of a cell, too', async () => {
    const { page, context } = await visit(browser, mesh.url);
    await page.waitForSelector('tbody th:has-text("test-campaign")');
    const user = { user_id: 'user-1', source: 'shop' };
    const [now, click] = [Date.now(), { ad_id: 'ad', campaign_id: 'camp-1' }];
    await send(
      { event_type: 'click', event_id: 'click-1', ...user, ...click, timestamp: now - 60_000 },
      { event_type: 'conversion', event_id: 'order-1', ...user, type: 'purchase', value: 5.01, timestamp: now },
    );
    await expect.poll(() => tiles(page), WAIT).toBe('2 2 25.00 100.00%');
    await page.click('nav a:has-text("Attribution")');
    await page.click('tr:has-text("camp-1") .cell.linear');
    await page.waitForSelector('.drawer tbody tr:has-text("5.01")');
    await expect.poll(() => page.textContent('.drawer footer'), WAIT).toContain('1 of 1 shown');
    await context.close();
  });

  test.each(["#/overview?campaign_id=camp-1&campaign_id=it's", '#/attribution?source!=x%20y&gross=true&by=ad_id'])(
    'what is copied as curl, and as clickmesh stats, gives the rows of %s',
    async (hash) => {
      const { page, context } = await visit(browser, `${mesh.url}/${hash}`);
      await page.waitForSelector('tbody th');
      const shown = await page.locator('tbody th').allTextContents();
      const by = hash.includes('ad_id') ? 'ad_id' : 'campaign_id';
      await page.click('text=How was this counted?');
      for (const name of ['curl', 'clickmesh stats']) {
        await page.click(`.method button:has-text("Copy as ${name}")`);
        const command = await page.evaluate(() => navigator.clipboard.readText());
        expect(command).toMatch(name === 'curl' ? /^curl '/ : /^npx clickmesh stats --url http/);
        const { rows } = JSON.parse(shell(name === 'curl' ? command : `${command} --json`));
        expect(rows.map((row: Record<string, string>) => row[by])).toEqual(shown);
      }
      expect(shown).toContain(by === 'ad_id' ? 'ad' : 'camp-1');
      await context.close();
    },
  );

  test('what is sent is on the tail, an audit of it is clean', async () => {
    const { page, context, faults } = await visit(browser, `${mesh.url}/#/live`);
    await page.waitForSelector('.tail tbody tr');
    const click = { ad_id: 'ad', campaign_id: 'seen-live', user_id: 'seen-live', source: 'shop' };
    await send({ event_type: 'click', event_id: 'click-2', ...click, timestamp: Date.now() });
    await page.waitForSelector('.tail tr:has-text("seen-live")');
    await page.click('nav a:has-text("Health")');
    await page.waitForSelector('[aria-label="Partitions"] tbody tr');
    await page.waitForSelector('[aria-label="Partitions"] tfoot [data-l="State"]:has-text("B")');
    expect(await page.getAttribute('a:has-text("Traces")', 'href')).toBe('http://traces.example/');
    expect(await page.locator('.stg h3 .tag').allTextContents()).toEqual(Array(4).fill('ready'));
    await page.click('#audit');
    await expect.poll(() => page.textContent('.audit header'), WAIT).toMatch(/Audit *clean/);
    expect(await page.locator('.checks li').count()).toBeGreaterThan(5);
    expect(faults).toEqual([]);
    await page.click('nav a:has-text("Live")');
    await page.waitForSelector('.tail tbody tr');
    await context.close();
  });

  test('a filter that matches nothing is a zero, not missing data', async () => {
    const { page, context } = await visit(browser, `${mesh.url}/#/overview?campaign_id=none`);
    await expect.poll(() => page.textContent('.no-rows'), WAIT).toContain('This is a zero, not missing data');
    await expect.poll(() => tiles(page), WAIT).toBe('0 0 0.00 –');
    await context.close();
  });

  test('what the mesh refuses is told in its words', async () => {
    const { page, context } = await visit(browser, `${mesh.url}/#/overview?model=none`);
    await expect
      .poll(() => page.textContent('.state [role="alert"]'), WAIT)
      .toContain('"none" is not counted by this mesh');
    await context.close();
  });
}

/** What a command prints that somebody pastes in the folder of the repository. */
function shell(command: string): string {
  return execFileSync('sh', ['-c', command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

/** In the page: whether the chart has drawn a bar in its last column. */
function newestBarHasColour(): boolean {
  const canvas = document.querySelector<HTMLCanvasElement>('.u-wrap canvas');
  if (canvas === null) return false;
  const { width, height } = canvas;
  const column = canvas.getContext('2d')!.getImageData(width - 30, 20, 1, height - 60).data;
  let coloured = 0;
  for (let i = 0; i < column.length; i += 4) if (column[i + 2]! > column[i]! + 40) coloured++;
  return coloured > 10;
}
