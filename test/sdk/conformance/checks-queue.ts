import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { accepted, type Checks, expectBalance, expectCounters } from './case.ts';
import { startScriptedGateway } from './scripted-gateway.ts';

const LOOP = 50_000;

/** "The queue" of gen/README.md. */
export const QUEUE: Checks = {
  async 'C-020'(one) {
    await one.open({ batchSize: 10, batchDelayMs: 60_000 });
    const byNumber = await Promise.all(one.clicks(10).map((event) => one.driver.do('track', { event })));
    for (const { result } of byNumber) accepted(result);
    await one.driver.do('open', { client: 'in time', url: one.url, options: { batchDelayMs: 100 } });
    accepted((await one.driver.do('track', { client: 'in time', event: one.click() })).result);
    await one.driver.do('open', {
      client: 'by size',
      url: one.url,
      options: { batchSize: 1000, batchDelayMs: 60_000 },
    });
    const big = () => one.click({ metadata: { blob: { $: 'repeat', value: 'x', count: 4000 } } });
    // 251 of them are more than 1 MB.
    await one.driver.do('trackAll', { client: 'by size', events: Array.from({ length: 260 }, big) });
    for (let waits = 0; (await one.stored()).length < 11 + 200; waits++) ok(waits < 50, 'no batch left by its size');
  },
  async 'C-021'(one) {
    const proxy = await one.proxy('black hole');
    await one.open({ maxQueueEvents: 100, batchSize: 10, attemptTimeoutMs: 500 }, proxy.url);
    const all = one.driver.do('trackMany', { event: one.click(), count: 1000, ready: true });
    await sleep(1000);
    const { waiting } = await one.counters();
    // One may be that of the caller who waits.
    ok(waiting <= 101, `${waiting} wait, of 100`);
    await proxy.set('none');
    equal((await all).accepted, 1000);
    await one.expectStored(1000);
  },
  async 'C-022'(one) {
    const proxy = await one.proxy('black hole');
    await one.open({ maxQueueEvents: 100, batchSize: 10, attemptTimeoutMs: 500 }, proxy.url);
    let isTaken = false;
    const all = one.driver.do('trackMany', { event: one.click(), count: 150, ready: true }).finally(() => {
      isTaken = true;
    });
    await sleep(1000);
    ok(!isTaken, 'the queue takes more than its bound');
    const ready = one.driver.do('ready');
    await proxy.set('none');
    await ready;
    equal((await all).accepted, 150);
    expectCounters(await one.counters(), { sent: 150, lost: 0 });
    await one.expectStored(150);
  },
  async 'C-023'(one) {
    const proxy = await one.proxy('black hole');
    await one.open({ maxQueueEvents: 100, onFull: 'reject', attemptTimeoutMs: 500, silent: true }, proxy.url);
    const all = one.driver.do('trackMany', { event: one.click(), count: 150 });
    await sleep(1000);
    const counters = await one.counters();
    expectBalance(counters);
    equal(counters.lost, 50);
    await proxy.set('none');
    const { accepted: taken, failed, errors } = await all;
    deepEqual([taken, failed], [100, 50]);
    match(JSON.stringify(errors), /"kind":"full"/);
    await one.expectStored(100);
  },
  async 'C-024'(one) {
    await one.open();
    const all = one.driver.do('trackMany', { event: one.click(), count: LOOP });
    // What was tracked before is sent by close, too.
    equal((await all).accepted, LOOP);
    equal((await one.driver.do('close')).error, undefined);
    expectCounters(await one.counters(), { queued: LOOP, sent: LOOP });
    await one.expectStored(LOOP);
  },
  async 'C-025'(one) {
    await using gateway = await startScriptedGateway();
    await one.open({ batchSize: 10, batchDelayMs: 60_000 }, gateway.url);
    const ids = Array.from({ length: 100 }, (_, i) => `${one.name}-${String(i).padStart(3, '0')}`);
    await one.driver.do('trackAll', { events: ids.map((event_id) => one.click({ event_id })) });
    equal((await one.driver.do('flush', { limitMs: 30_000 })).done, true);
    const batches = Map.groupBy(gateway.ids, (id) => Math.floor(ids.indexOf(id) / 10));
    for (const [number, batch] of batches) deepEqual(batch, ids.slice(number * 10, number * 10 + 10));
    deepEqual(gateway.ids.toSorted(), ids);
  },
};
