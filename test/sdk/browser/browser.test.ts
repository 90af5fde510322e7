import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { fromBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { startGateway, type TestGateway } from '../../fixtures/gateway.ts';
import { type FaultProxy, startFaultProxy } from '../fault-proxy.ts';
import { type Browser, type Page, startChromium } from './chromium.ts';
import { KNOWS_PLAIN_HOST, openClient, PLAIN_HOST, type Site, startSite } from './site.ts';

const MAX_GZIP_BYTES = 20_000;
const LATENCY_MS = 200;
const WAIT = { timeout: 10_000 };

let gateway: TestGateway;
let proxy: FaultProxy;
let site: Site;
let browser: Browser;
let address: string;

beforeAll(async () => {
  execFileSync('node', ['gen/ts/build.js'], { stdio: 'inherit' });
});

test(`the build for pages has at most ${MAX_GZIP_BYTES} bytes gzipped`, () => {
  expect(gzipSync(readFileSync('gen/ts/dist/ingest.min.js')).byteLength).toBeLessThanOrEqual(MAX_GZIP_BYTES);
});

/** Users of what was stored: a browser may send once more what it is not sure of. */
const stored = new Set<string>();
const storedOf = (name: string) => [...stored].filter((user) => user.startsWith(name));

async function open(host = '127.0.0.1', page?: Page): Promise<Page> {
  const opened = page ?? (await browser.newPage());
  await openClient(opened, site.url(host), address);
  return opened;
}

/** Tracks clicks of these users. */
const track = (page: Page, ...users: string[]) =>
  page.evaluate((users) => {
    const fields = { adId: 'ad', campaignId: 'camp', source: 'page' };
    for (const userId of users) client.track({ type: 'click', userId, ...fields });
  }, users);

/** Tracks clicks of these users, and goes to another page in the same breath. */
const clickThrough = (page: Page, ...users: string[]) =>
  page.evaluate((users) => {
    const fields = { adId: 'ad', campaignId: 'camp', source: 'page' };
    for (const userId of users) client.track({ type: 'click', userId, ...fields });
    location.href = '/next';
  }, users);

const users = (count: number, name: string) => Array.from({ length: count }, (_, i) => `${name}-${i}`);

describe('in Chromium', { tags: ['chromium', 'long'] }, () => {
  beforeAll(start, 300_000);
  afterAll(stop);
  beforeEach(reset);
  describe('a page that stays', testsOfStaying);
  describe('a page that is left', testsOfLeaving);
});

async function start(): Promise<void> {
  gateway = await startGateway();
  proxy = await startFaultProxy(gateway.url);
  site = await startSite();
  browser = await startChromium(KNOWS_PLAIN_HOST);
}

async function stop(): Promise<void> {
  await browser?.close();
  await proxy?.[Symbol.asyncDispose]();
  await site?.[Symbol.asyncDispose]();
  await gateway?.close();
}

async function reset(): Promise<void> {
  proxy.delayMs = 0;
  await proxy.set('none');
  address = proxy.url;
  stored.clear();
  gateway.log.beforeAppend = (records) => {
    for (const { value } of records) stored.add(fromBinary(EventSchema, value).event.value!.userId);
  };
}

function testsOfStaying(): void {
  test('what is tracked is stored', async () => {
    const page = await open();
    await track(page, ...users(200, 'stays'));
    const counters = await page.evaluate(async () => {
      await client.close();
      return client.counters();
    });
    expect(counters).toMatchObject({ queued: 200, sent: 200, lost: 0, waiting: 0 });
    expect(storedOf('stays')).toHaveLength(200);
  });

  test('a page whose fetch adds headers of its tracing', async () => {
    const page = await open();
    await page.evaluate(() => {
      const { fetch } = globalThis;
      globalThis.fetch = (input, init) => {
        const headers = new Headers(init?.headers);
        headers.set('traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
        headers.set('x-datadog-trace-id', '1');
        return fetch(input, { ...init, headers });
      };
    });
    await track(page, 'traced');
    await page.evaluate(() => client.close());
    expect(storedOf('traced')).toHaveLength(1);
  });

  test('a page over plain http', async () => {
    const page = await open(PLAIN_HOST);
    expect(await page.evaluate(() => [isSecureContext, typeof crypto.randomUUID])).toEqual([false, 'undefined']);
    await track(page, 'plain');
    await page.evaluate(() => client.close());
    expect(storedOf('plain')).toHaveLength(1);
  });

  test('the page of README', async () => {
    const html = /```html\n(.*?)```/s.exec(readFileSync('gen/ts/README.md', 'utf8'))![1]!;
    const page = await open('127.0.0.1');
    await page.goto(`${site.url()}/readme?${encodeURIComponent(html.replaceAll('http://127.0.0.1:8080', address))}`);
    await page.evaluate(() => dispatchEvent(new MouseEvent('click')));
    await expect.poll(() => storedOf('user-123'), WAIT).toHaveLength(1);
  });

  test('what could not be sent waits in IndexedDB for the next page', async () => {
    await proxy.set('refuse');
    const context = await browser.newContext();
    const page = await open('127.0.0.1', await context.newPage());
    const counters = await page.evaluate(async (url) => {
      client = clickmesh.connectClickmesh(url, { store: 'clicks', timeoutMs: 300, logger: null });
      await client.track({ type: 'click', userId: 'kept', adId: 'a', campaignId: 'c', source: 's' }).catch(() => {});
      await client.close();
      return client.counters();
    }, address);
    expect(counters).toMatchObject({ queued: 1, stored: 1, lost: 0 });
    await proxy.set('none');
    await open('127.0.0.1', page);
    await page.evaluate((url) => {
      client = clickmesh.connectClickmesh(url, { store: 'clicks' });
    }, address);
    await expect.poll(() => storedOf('kept'), WAIT).toHaveLength(1);
    await context.close();
  });
}

function testsOfLeaving(): void {
  test('a click that leads to another page is stored while a request is under way', async () => {
    proxy.delayMs = LATENCY_MS;
    for (let round = 0; round < 5; round++) {
      const page = await open();
      await track(page, `first-${round}`);
      await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 150)));
      await clickThrough(page, `last-${round}`);
    }
    await expect.poll(() => storedOf('first').length, WAIT).toBe(5);
    await expect.poll(() => storedOf('last').length, WAIT).toBe(5);
  });

  test('the first click of a visit is stored, though it leads to another page at once', async () => {
    proxy.delayMs = LATENCY_MS;
    // Chromium may hang at a new page while it closes another context: each visit has its page before the first begins.
    const contexts = await Promise.all([0, 1, 2].map(() => browser.newContext()));
    const pages: Page[] = [];
    for (const context of contexts) pages.push(await open('127.0.0.1', await context.newPage()));
    for (const [round, page] of pages.entries()) {
      await clickThrough(page, `only-${round}`);
      await expect.poll(() => storedOf('only').length, WAIT).toBe(round + 1);
    }
    for (const context of contexts) await context.close();
  });

  test('as many clicks as browsers let outlive a page are stored', async () => {
    proxy.delayMs = LATENCY_MS;
    const page = await open();
    await clickThrough(page, ...users(150, 'many'));
    await expect.poll(() => storedOf('many').length, WAIT).toBe(150);
  });
}
