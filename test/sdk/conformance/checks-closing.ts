import { equal, match, ok } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { accepted, type Case, type Checks, expectBelow, expectCounters, failed } from './case.ts';
import { Skipped } from './driver.ts';

/** What a busy machine may add to a wait, in ms. */
const SLACK_MS = 10_000;

/** "flush and close" of gen/README.md. */
export const CLOSING: Checks = {
  async 'C-040'(one) {
    await one.open();
    await one.driver.do('trackAll', { events: one.clicks(20) });
    equal((await one.driver.do('flush', { limitMs: 30_000 })).done, true);
    await one.expectStored(20);
    const hole = await one.proxy('black hole');
    await one.driver.do('open', { client: 'cut off', url: hole.url, options: { silent: true } });
    await one.driver.do('trackAll', { client: 'cut off', events: one.clicks(20) });
    const { done, tookMs } = await one.driver.do('flush', { client: 'cut off', limitMs: 500 });
    equal(done, false);
    expectBelow(tookMs, 500 + SLACK_MS, 'flush');
  },
  async 'C-041'(one) {
    const hole = await one.proxy('black hole');
    await one.open({ batchSize: 10, silent: true }, hole.url);
    await one.driver.do('trackAll', { events: one.clicks(200) });
    const { tookMs, error } = await one.driver.do('close', { limitMs: 2000 });
    expectBelow(tookMs, 2000 + SLACK_MS, 'close of 20 batches');
    equal(error?.kind, 'notSent');
  },
  async 'C-042'(one) {
    const proxy = await one.proxy('refuse');
    await one.open({ batchSize: 10, silent: true }, proxy.url);
    await one.driver.do('trackAll', { events: one.clicks(50) });
    const { error } = await one.driver.do('close', { limitMs: 1000 });
    equal(error?.kind, 'notSent', `close: ${JSON.stringify(error)}`);
    equal(error.notSent, 50);
    equal(error.events?.length, 50);
    match(error.message, /50/);
    expectCounters(await one.counters(), { queued: 50, lost: 50, waiting: 0 });
    await one.driver.do('open', { client: 'earlier', url: proxy.url, options: { timeoutMs: 5000, silent: true } });
    failed((await one.driver.do('track', { client: 'earlier', event: one.click() })).result, 'failed');
    await proxy.set('none');
    accepted((await one.driver.do('track', { client: 'earlier', event: one.click() })).result);
    const later = await one.driver.do('close', { client: 'earlier' });
    equal(later.error?.notSent, 1, 'lost before it was closed');
  },
  async 'C-043'(one) {
    const proxy = await one.proxy();
    proxy.delayMs = 1000;
    await one.open({}, proxy.url);
    await one.driver.do('trackAll', { events: one.clicks(20) });
    const { tookMs, second, error } = await one.driver.do('close', { times: 2 });
    for (const took of [tookMs, second?.tookMs]) ok(took! >= 500, `one of two returned after ${took} ms of 1000`);
    equal(error?.kind, second?.error?.kind);
    expectBelow((await one.driver.do('close')).tookMs, SLACK_MS, 'the third close');
    await one.expectStored(20);
  },
  async 'C-044'(one) {
    for (const call of ['throw', 'track', 'flush', 'close']) {
      await one.driver.do('open', { client: call, url: one.url, options: { silent: true } });
      const { tookMs } = await one.driver.do('inCallback', { client: call, event: one.click(), call });
      expectBelow(tookMs, SLACK_MS, `${call} in a callback`);
      if (call === 'close') continue;
      accepted((await one.driver.do('track', { client: call, event: one.click() })).result);
    }
  },
  async 'C-045'(one) {
    await one.open();
    await one.driver.do('trackAll', { events: one.clicks(20) });
    const { error, isInterrupted } = await one.driver.do('close', { interrupted: true });
    equal(error, undefined, error?.message);
    equal(isInterrupted, true, 'the flag is gone');
    await one.expectStored(20);
  },
  async 'C-046'(one) {
    await one.open({ silent: true });
    accepted((await one.driver.do('track', { event: one.click() })).result);
    await one.driver.do('close');
    const before = await one.counters();
    for (const call of ['track', 'send']) {
      const from = performance.now();
      failed((await one.driver.do(call, { event: one.click() })).result, 'closed');
      expectBelow(performance.now() - from, SLACK_MS, `${call} after close`);
    }
    for (const call of ['sendBatch', 'sendStream', 'ready']) {
      const from = performance.now();
      equal((await one.driver.do(call, { events: one.clicks(2) })).error?.kind, 'closed', call);
      expectBelow(performance.now() - from, SLACK_MS, `${call} after close`);
    }
    equal(JSON.stringify(await one.counters()), JSON.stringify(before));
    const { warnings } = await one.driver.do('reports');
    if (one.language === 'typescript') match(warnings!.join(), /1 event not taken/);
    await one.expectStored(1);
  },
  async 'C-047'(one) {
    const { threadsBefore, threadsAfter } = await one.driver.do('openMany', {
      url: one.url,
      count: 50,
      event: one.click(),
    });
    // Pools of a runtime or of gRPC may stay, but not one for each client.
    ok(threadsAfter! - threadsBefore! < 20, `threads were ${threadsBefore}, and are ${threadsAfter}`);
    await one.expectStored(50);
  },
  async 'C-048'(one) {
    if (one.language === 'go') throw new Skipped('Go has no such moment: defer Close');
    for (const how of ['end', 'exit']) {
      const proxy = await one.proxy();
      proxy.delayMs = 1000;
      const driver = one.start();
      await driver.do('open', { url: proxy.url });
      await driver.do('trackAll', { events: one.clicks(20) });
      driver.do('exit', { how });
      equal(await ended(driver.exited), 0, how);
    }
    await one.expectStored(40);
    const down = one.start();
    const refused = await one.proxy('refuse');
    await down.do('open', { url: refused.url, options: { timeoutMs: 1000 } });
    await down.do('trackAll', { events: one.clicks(20) });
    down.do('exit', { how: 'end' });
    await ended(down.exited);
    match(down.stderr(), /clickmesh: .*20/s, 'what was lost at the end is not told');
  },
  async 'C-049'(one) {
    for (const own of [false, true]) {
      const proxy = await one.proxy();
      proxy.delayMs = 1000;
      const driver = one.start();
      await driver.do('open', { url: proxy.url });
      if (one.language !== 'java') await driver.do('handleSigterm', { own });
      await driver.do('trackAll', { events: one.clicks(20) });
      driver.signal('SIGTERM');
      const code = await ended(driver.exited);
      ok(own || code === 143 || code === 'SIGTERM', `it ended with ${code}`);
      if (own && one.language !== 'java') match(driver.stderr(), /own handler/);
    }
    await one.expectStored(40);
  },
  async 'C-050'(one) {
    for (const then of ['close', 'flush', 'leave', 'own']) {
      const driver = one.start();
      await driver.do('open', { url: one.url });
      await driver.do('trackAll', { events: one.clicks(5) });
      const { exitCode } = await driver.do('fork', { events: one.clicks(3), then });
      equal(exitCode, 0, then);
      equal((await driver.do('close')).error, undefined);
      driver.do('exit', { how: 'end' });
      equal(await ended(driver.exited), 0, `the parent, after ${then}`);
    }
    await one.expectStored(32);
  },
};

async function ended(exited: Case['driver']['exited']): Promise<number | NodeJS.Signals | 'hangs'> {
  return Promise.race([exited, sleep(60_000, 'hangs' as const, { ref: false })]);
}
