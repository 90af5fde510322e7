import { ok } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { unmetNeeds } from '../../needs.ts';
import { type Page, startChromium } from '../browser/chromium.ts';
import { KNOWS_PLAIN_HOST, openClient, PLAIN_HOST, SCRIPT, startSite } from '../browser/site.ts';
import type { Case, Checks } from './case.ts';
import { Skipped } from './driver.ts';

const MAX_GZIP_BYTES = 20_000;
const LATENCY_MS = 200;
/** While a request that was sent then is under way. */
const LATER_MS = 150;
/** In one page: the most that leave it together have 64 KiB. */
const MANY = 150;
/** Longest time until what left a page is stored, in ms. */
const ARRIVAL_MS = 20_000;

/** What "flush and close" of gen/README.md says of pages: in Chromium. */
export const PAGES: Checks = {
  async 'C-051'(one) {
    await inChromium(one, async (open) => {
      const proxy = await one.proxy();
      proxy.delayMs = LATENCY_MS;
      for (let round = 0; round < 3; round++) {
        const page = await open(proxy.url);
        await track(page, one.name, 1);
        await sleep(LATER_MS);
        await track(page, one.name, 1, '/next');
      }
      await track(await open(proxy.url), one.name, MANY, '/next');
      await expectArrived(one, 3 * 2 + MANY);
    });
  },
  async 'C-052'(one) {
    await inChromium(one, async (open) => {
      const bytes = gzipSync(readFileSync(SCRIPT)).byteLength;
      ok(bytes <= MAX_GZIP_BYTES, `ingest.min.js has ${bytes} bytes gzipped`);
      const plain = await open(one.url, PLAIN_HOST);
      ok(!(await plain.evaluate(() => isSecureContext)), 'the page is a secure context');
      await track(plain, one.name, 1);
      const traced = await open(one.url);
      await traced.evaluate(() => {
        const { fetch } = globalThis;
        globalThis.fetch = (input, init) => {
          const headers = new Headers(init?.headers);
          headers.set('traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
          return fetch(input, { ...init, headers });
        };
      });
      await track(traced, one.name, 1);
      for (const page of [plain, traced]) await page.evaluate(() => client.close());
      await one.expectStored(2);
    });
  },
};

type Open = (gatewayUrl: string, host?: string) => Promise<Page>;

async function inChromium({ language }: Case, check: (open: Open) => Promise<void>): Promise<void> {
  if (language !== 'typescript') throw new Skipped('the client for pages is that of TypeScript');
  if (unmetNeeds(['chromium']).length > 0) throw new Skipped('there is no Chromium');
  execFileSync('node', ['gen/ts/build.js'], { stdio: ['ignore', 'ignore', 'inherit'] });
  await using site = await startSite();
  const browser = await startChromium(KNOWS_PLAIN_HOST);
  try {
    await check(async (gatewayUrl, host) => {
      const page = await browser.newPage();
      await openClient(page, site.url(host), gatewayUrl);
      return page;
    });
  } finally {
    await browser.close();
  }
}

/** Tracks clicks, and then goes to another page, in the same breath. */
async function track(page: Page, campaignId: string, count: number, next?: string): Promise<void> {
  await page.evaluate(
    ({ campaignId, count, next }) => {
      const click = { type: 'click', adId: 'ad', campaignId, source: 'page' } as const;
      for (let i = 0; i < count; i++) client.track({ ...click, userId: `${campaignId}-${i}` });
      if (next !== undefined) location.href = next;
    },
    { campaignId, count, next },
  );
}

/** What leaves a page arrives later than it has left; and nothing may arrive beyond. */
async function expectArrived(one: Case, count: number): Promise<void> {
  const giveUpAt = performance.now() + ARRIVAL_MS;
  while ((await one.stored()).length < count && performance.now() < giveUpAt) await sleep(LATENCY_MS);
  await one.expectStored(count);
}
