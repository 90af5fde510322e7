import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  ClientClosed,
  click,
  connectClickmesh,
  conversion,
  invalidate,
  NotSent,
  QueueFull,
  Rejected,
  refund,
  SendFailed,
} from 'clickmesh-client';
import { connectClickmesh as connectIngest } from 'clickmesh-client/ingest';

/** A live gateway, and a way to it that loses the first answer of every other connection. */
const { CLICKMESH_URL: gateway = '', CLICKMESH_FLAKY_URL: flaky = '' } = process.env;
const FOREVER_MS = 60_000;
const DAY_MS = 24 * 3_600_000;

const client = connectClickmesh(gateway);
/** Says nothing of what is meant to go wrong. */
const logger = null;
let campaignId: string;

beforeEach(() => {
  campaignId = `ts-${randomUUID()}`;
});

const aClick = () => click({ userId: `user-of-${campaignId}`, adId: 'ad', campaignId, source: 'web' });
const clicks = (count: number) => Array.from({ length: count }, aClick);
const invalid = () => click({ userId: '', adId: 'ad', campaignId: 'c', source: 'web' });

/** Waits for a later click of the same user, which is counted after all others, and then counts them. */
async function counted(): Promise<number> {
  const last = `${campaignId}-last`;
  await client.send(click({ userId: `user-of-${campaignId}`, adId: 'ad', campaignId: last, source: 'web' }));
  const giveUpAt = Date.now() + 30_000;
  while ((await sumsOf(last)).clicks === 0) {
    assert(Date.now() < giveUpAt, 'the last click was not counted');
    await sleep(100);
  }
  return (await sumsOf(campaignId)).clicks;
}

async function sumsOf(campaign: string): Promise<{ clicks: number; revenueMicros: bigint }> {
  const [startDate, endDate] = [new Date(Date.now() - DAY_MS), new Date(Date.now() + DAY_MS)];
  const rows = await client.stats({ startDate, endDate, campaignId: campaign, interval: 'monthly' });
  const clicks = rows.reduce((sum, row) => sum + row.clicks, 0);
  return { clicks, revenueMicros: rows.reduce((sum, row) => sum + row.revenueMicros, 0n) };
}

test('send', async () => {
  const { eventId, storedId } = await client.send({ ...aClick(), eventId: `Click of ${campaignId}` });
  assert.equal(eventId, `Click of ${campaignId}`);
  assert.match(storedId, /^[0-9a-f-]{36}$/);
  await client.send(conversion({ userId: `user-of-${campaignId}`, type: 'purchase', value: 1, source: 'web' }));
  assert.equal(await counted(), 1);
});

test('what was sent is taken back', async () => {
  const userId = `user-of-${campaignId}`;
  const purchase = conversion({ userId, source: 'web', eventId: campaignId, type: 'purchase', value: '20.00' });
  const [, bad] = await client.sendBatch([...clicks(2), purchase]);
  await client.send(refund({ userId, conversionId: campaignId, value: 5 }));
  await client.send(invalidate({ userId, clickId: bad!.eventId, reason: 'bot' }));
  assert.equal(await counted(), 1);
  assert.equal((await sumsOf(campaignId)).revenueMicros, 15_000_000n);
});

test('statistics print as JSON', async () => {
  await client.send(aClick());
  await counted();
  const day = new Date().toISOString().slice(0, 10);
  const [row] = JSON.parse(JSON.stringify(await client.stats({ startDate: day, endDate: day, campaignId })));
  assert.deepEqual([row.clicks, row.revenueMicros], [1, '0']);
});

test('the gateway rejects what only it can know', async () => {
  const foreign = conversion({ userId: 'u', type: 'purchase', value: 1, currency: 'XTS', source: 'web' });
  await assert.rejects(client.send(foreign), (error) => {
    assert(error instanceof Rejected);
    const { field, reason, limit } = error;
    assert.deepEqual([field, reason, limit], ['currency', 'OTHER_CURRENCY', 'USD']);
    return true;
  });
  const [rejected] = await client.sendBatch([foreign]);
  assert(rejected instanceof Rejected);
  const { accepted, rejections } = await client.sendStream([aClick(), invalid(), foreign]);
  assert.equal(accepted, 1);
  const told = rejections.map(({ index, rejected }) => [index, rejected.field]);
  assert.deepEqual(told, [
    [1, 'user_id'],
    [2, 'currency'],
  ]);
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

test('sendBatch of one event says that send is meant', async () => {
  await assert.rejects(client.sendBatch(aClick() as never), /iterable: send\(\) takes one event/);
});

test('sendStream', async () => {
  const { accepted, rejections } = await client.sendStream(clicks(2500).with(1700, invalid()));
  assert.deepEqual([accepted, rejections[0]?.index], [2499, 1700]);
  assert.equal(await counted(), 2499);
});

test('track refuses while too much is waiting, if asked to', async () => {
  const full = connectClickmesh(gateway, { maxQueueEvents: 1, onFull: 'reject', batchDelayMs: FOREVER_MS, logger });
  full.track(aClick());
  await assert.rejects(full.track(aClick()), QueueFull);
  await assert.rejects(full.close(), /1 event was not sent/);
});

test('close sends what is queued', async () => {
  const closing = connectClickmesh(gateway, { batchDelayMs: FOREVER_MS, logger });
  const [good, bad] = [closing.track(aClick()), closing.track(invalid())];
  await closing.close();
  assert((await good).eventId);
  await assert.rejects(bad, Rejected);
  await assert.rejects(closing.track(aClick()), ClientClosed);
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
  for (const [name, connect] of [
    ['by gRPC', () => connectClickmesh(flaky)],
    ['by Connect over HTTP/1.1', () => connectClickmesh(flaky, { protocol: 'connect' })],
    ['by fetch, as in browsers', () => connectIngest(flaky)],
  ] as const) {
    test(name, async () => {
      await connect().send(aClick());
      await connect().sendBatch(clicks(10));
      await Promise.all(clicks(5).map((event) => connect().track(event)));
      assert.equal(await counted(), 16);
    });
  }
});

test('gives up after the timeout', async () => {
  const lost = connectClickmesh('http://127.0.0.1:1', { timeoutMs: 300, logger });
  await assert.rejects(lost.send(aClick()), (error) => {
    assert(error instanceof SendFailed);
    assert.equal(error.code, 'unavailable');
    assert.match(error.message, /^1 event not sent: given up after \d+ attempts in 0\.\d s: unavailable: /);
    return true;
  });
});

test('connections that a proxy without a gateway ends do not end the program', async () => {
  const proxy = createServer((socket) => {
    socket.on('error', () => {}).resume();
    socket.end('HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n');
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as AddressInfo;
  // There is no time for another attempt, so that the next call comes while the connection is being ended.
  const hasty = connectClickmesh(`http://127.0.0.1:${port}`, { timeoutMs: 40, logger });
  for (let i = 0; i < 50; i++) await assert.rejects(hasty.send(aClick()), SendFailed);
  await assert.rejects(hasty.close(), NotSent);
  proxy.close();
  await once(proxy, 'close');
});
