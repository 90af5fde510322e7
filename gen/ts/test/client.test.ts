import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Code, ConnectError } from '@connectrpc/connect';
import {
  adjustment,
  click,
  connectClickmesh,
  conversion,
  Interval,
  QueueFull,
  Rejected,
  RejectReason,
  verdict,
} from 'clickmesh-client';
import { createTransport as nodeTransport } from '../dist/transport-node.js';
import { createTransport as webTransport } from '../dist/transport-web.js';

/** A live gateway, and a way to it that loses the first answer of every other connection. */
const { CLICKMESH_URL: gateway = '', CLICKMESH_FLAKY_URL: flaky = '' } = process.env;
const FOREVER_MS = 3_600_000;
const DAY_MS = 24 * 3_600_000;

const client = connectClickmesh(gateway);
let campaignId: string;

beforeEach(() => {
  campaignId = `ts-${randomUUID()}`;
});

const aClick = () => click({ userId: `user-of-${campaignId}`, adId: 'ad', campaignId, source: 'web' });
const clicks = (count: number) => Array.from({ length: count }, aClick);
const invalid = () => click({ adId: 'ad', campaignId: 'c', source: 'web' });

/** Waits for a later click of the same user, which is counted after all others, and then counts them. */
async function counted(): Promise<number> {
  const last = `${campaignId}-last`;
  await client.send(click({ userId: `user-of-${campaignId}`, adId: 'ad', campaignId: last, source: 'web' }));
  const giveUpAt = Date.now() + 30_000;
  while ((await sumsOf(last)).clicks === 0n) {
    assert(Date.now() < giveUpAt, 'the last click was not counted');
    await sleep(100);
  }
  return Number((await sumsOf(campaignId)).clicks);
}

async function sumsOf(campaign: string): Promise<{ clicks: bigint; revenueMicros: bigint }> {
  const date = (time: number) => new Date(time).toISOString().slice(0, 10);
  const [startDate, endDate] = [date(Date.now() - DAY_MS), date(Date.now() + DAY_MS)];
  const rows = await client.stats({ startDate, endDate, campaignId: campaign, interval: Interval.MONTHLY });
  const sum = (of: 'clicks' | 'revenueMicros') => rows.reduce((sum, row) => sum + row[of], 0n);
  return { clicks: sum('clicks'), revenueMicros: sum('revenueMicros') };
}

test('send', async () => {
  const event = aClick();
  const { eventId } = await client.send(event);
  assert.equal(eventId, event.event.value!.eventId);
  await client.send(conversion({ userId: `user-of-${campaignId}`, type: 'purchase', value: 1, source: 'web' }));
  assert.equal(await counted(), 1);
});

test('what was sent is taken back', async () => {
  const userId = `user-of-${campaignId}`;
  const ofUser = { userId, source: 'web' };
  const [good, bad] = clicks(2);
  const purchase = conversion({ ...ofUser, eventId: campaignId, type: 'purchase', value: 20 });
  await client.sendBatch([good!, bad!, purchase]);
  await client.send(adjustment({ userId, conversionId: campaignId, kind: 'refund', value: 5 }));
  await client.send(verdict({ userId, clickId: bad!.event.value!.eventId, valid: false, reason: 'bot' }));
  assert.equal(await counted(), 1);
  assert.equal((await sumsOf(campaignId)).revenueMicros, 15_000_000n);
});

test('send tells why an event is rejected', async () => {
  await assert.rejects(client.send(invalid()), (error) => {
    assert(error instanceof Rejected);
    const { field, reason } = error.rejection;
    assert.deepEqual([field, reason], ['user_id', RejectReason.REQUIRED]);
    return true;
  });
});

test('sendBatch splits and answers in order', async () => {
  const results = await client.sendBatch(clicks(2500).with(1700, invalid()));
  assert.equal(results.length, 2500);
  assert.deepEqual(
    [...results.keys()].filter((i) => results[i] instanceof Rejected),
    [1700],
  );
  assert.equal(await counted(), 2499);
});

test('sendStream', async () => {
  const { accepted, rejections } = await client.sendStream(clicks(2500).with(1700, invalid()));
  assert.deepEqual([accepted, rejections[0]?.index], [2499n, 1700n]);
  assert.equal(await counted(), 2499);
});

test('track sends what fills a batch', async () => {
  const impatient = connectClickmesh(gateway, { batchSize: 10, batchDelayMs: FOREVER_MS });
  await Promise.all(clicks(10).map((event) => impatient.track(event)));
});

test('track sends what has waited long enough', async () => {
  assert((await connectClickmesh(gateway, { batchDelayMs: 1 }).track(aClick())).eventId);
});

test('track refuses while too much is pending', async () => {
  await using full = connectClickmesh(gateway, { maxPending: 1, batchDelayMs: FOREVER_MS });
  full.track(aClick());
  await assert.rejects(full.track(aClick()), QueueFull);
});

test('close sends what is queued', async () => {
  const closing = connectClickmesh(gateway, { batchDelayMs: FOREVER_MS });
  const [good, bad] = [closing.track(aClick()), closing.track(invalid())];
  await closing.close();
  assert((await good).eventId);
  await assert.rejects(bad, Rejected);
  await assert.rejects(closing.track(aClick()), /closed/);
  assert.equal(await counted(), 1);
});

test('a program ends by itself, and not before what is queued is sent', async () => {
  const program = `
    import { click, connectClickmesh } from 'clickmesh-client';
    const fields = { userId: 'user-of-${campaignId}', adId: 'ad', campaignId: '${campaignId}', source: 'web' };
    connectClickmesh('${gateway}').track(click(fields));`;
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], { timeout: 30_000 });
  assert.equal(await counted(), 1);
});

describe('lost answers are asked for again without counting twice', () => {
  for (const [name, createTransport, canStream] of [
    ['in Node', nodeTransport, true],
    ['in browsers', webTransport, false],
  ] as const) {
    test(name, async () => {
      const connect = () => connectClickmesh(flaky, { transport: createTransport(flaky) });
      await connect().send(aClick());
      await connect().sendBatch(clicks(10));
      if (canStream) await connect().sendStream(clicks(100));
      assert.equal(await counted(), canStream ? 111 : 11);
    });
  }
});

test('gives up after the timeout', async () => {
  const lost = connectClickmesh('http://127.0.0.1:1', { timeoutMs: 300 });
  await assert.rejects(lost.send(aClick()), (error) => {
    assert.equal(ConnectError.from(error).code, Code.Unavailable);
    return true;
  });
});
