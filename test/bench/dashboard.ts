import { randomUUID } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { startBrowser, visit } from '../dashboard/chromium.ts';
import type { MeshProcess } from '../fixtures/mesh-process.ts';
import { percentile } from './load.ts';
import type { Figure, Scenario } from './scenario.ts';

const CAMPAIGNS = 500;
const FULL = { visits: 15, updates: 20 };
const QUICK: typeof FULL = { visits: 1, updates: 1 };

export const dashboard: Scenario<MeshProcess>[] = [
  {
    name: 'dashboard',
    method:
      `The overview of ${CAMPAIGNS} campaigns in Chromium, each of ${FULL.visits} visits by a profile of its own, without ` +
      'anything kept: first paint, as the browser reports it, and interactive, when the rows of the table are there; ' +
      `then from the answer to each of ${FULL.updates} clicks until its number is on the open page, seen by its frames.`,
    needs: ['chromium'],
    run: (mesh, quick) => runDashboard(mesh, quick ? QUICK : FULL),
  },
];

async function runDashboard(mesh: MeshProcess, { visits, updates }: typeof FULL): Promise<Figure[]> {
  for (let i = 0; i < CAMPAIGNS; i++) await click(mesh, `campaign-${i}`);
  const browser = await startBrowser();
  try {
    const paints: number[] = [];
    const interactives: number[] = [];
    for (let i = 0; i < visits; i++) {
      const { paint, interactive } = await measureVisit(browser, mesh.url);
      paints.push(paint);
      interactives.push(interactive);
    }
    const delays = await measureUpdates(browser, mesh, updates);
    for (const each of [paints, interactives, delays]) each.sort((a, b) => a - b);
    return [
      { name: 'first paint p50', value: percentile(paints, 0.5), unit: 'ms', floor: { atMost: 1000 } },
      { name: 'interactive p50', value: percentile(interactives, 0.5), unit: 'ms', floor: { atMost: 1500 } },
      { name: 'live update p50', value: percentile(delays, 0.5), unit: 'ms' },
      { name: 'live update p99', value: percentile(delays, 0.99), unit: 'ms', floor: { atMost: 2000 } },
    ];
  } finally {
    await browser.close();
  }
}

async function measureVisit(browser: Browser, url: string): Promise<{ paint: number; interactive: number }> {
  const { page, context } = await visit(browser, url);
  await page.waitForSelector('tbody .rowbtn');
  const times = await page.evaluate(() => {
    const [first] = performance.getEntriesByName('first-contentful-paint');
    return { paint: first!.startTime, interactive: performance.now() };
  });
  await context.close();
  return times;
}

/** One click after another: each is on the page before the next is sent. */
async function measureUpdates(browser: Browser, mesh: MeshProcess, updates: number): Promise<number[]> {
  const { page, context } = await visit(browser, mesh.url);
  await page.waitForSelector('tbody .rowbtn');
  const delays: number[] = [];
  for (let i = 0; i < updates; i++) {
    const before = await page.textContent(CLICKS);
    await click(mesh, 'campaign-0');
    const began = performance.now();
    await changed(page, before!);
    delays.push(performance.now() - began);
  }
  await context.close();
  return delays;
}

const CLICKS = '#k-clicks .val';

async function changed(page: Page, before: string): Promise<void> {
  const isOther = ([selector, text]: string[]) => document.querySelector(selector!)?.textContent !== text;
  await page.waitForFunction(isOther, [CLICKS, before], { polling: 'raf' });
}

async function click(mesh: MeshProcess, campaign: string): Promise<void> {
  const of = { event_id: randomUUID(), user_id: randomUUID(), ad_id: 'ad', campaign_id: campaign, source: 'bench' };
  const body = JSON.stringify({ event_type: 'click', ...of, timestamp: Date.now() });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${mesh.url}/api/v1/events`, { method: 'POST', headers, body });
  if (response.status !== 202) throw new Error(`a click was not accepted: ${await response.text()}`);
}
