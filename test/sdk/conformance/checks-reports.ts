import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { badEventsIn } from './bad-events.ts';
import { accepted, type Checks, expectBalance, expectCounters, failed } from './case.ts';

/** "What is reported" of gen/README.md. */
export const REPORTS: Checks = {
  async 'C-060'(one) {
    const proxy = await one.proxy();
    await one.open({ timeoutMs: 5000, silent: true }, proxy.url);
    const bad = badEventsIn(one.language)[0]!.event(one);
    accepted((await one.driver.do('track', { event: one.click() })).result);
    accepted((await one.driver.do('send', { event: one.click() })).result);
    await one.driver.do('track', { event: bad });
    await one.driver.do('send', { event: bad });
    await one.driver.do('sendBatch', { events: [...one.clicks(3), bad] });
    await one.driver.do('sendStream', { events: [...one.clicks(4), bad] });
    expectCounters(await one.counters(), { queued: 13, sent: 9, rejected: 4, lost: 0, stored: 0, waiting: 0 });
    await proxy.set('black hole');
    const answer = one.driver.do('track', { event: one.click() });
    const during = await one.counters();
    expectBalance(during);
    equal(during.waiting, 1);
    failed((await answer).result, 'failed');
    failed((await one.driver.do('send', { event: one.click() })).result, 'failed');
    expectCounters(await one.counters(), { queued: 15, sent: 9, rejected: 4, lost: 2, waiting: 0 });
    await one.expectStored(9);
  },
  async 'C-061'(one) {
    const proxy = await one.proxy('refuse');
    await one.open({ timeoutMs: 500, batchSize: 10, batchDelayMs: 60_000, silent: true }, proxy.url);
    const all = await Promise.all(one.clicks(10).map((event) => one.driver.do('track', { event })));
    await one.driver.do('track', { event: one.click({ user_id: '' }) });
    const { errors } = await one.driver.do('reports');
    const ids = (events: { event_id: string }[] = []) => events.map(({ event_id }) => event_id).sort();
    deepEqual(
      ids(errors!.flatMap(({ error, events }) => (error.kind === 'failed' ? events : []))),
      ids(all.flatMap(({ result }) => result?.error?.events ?? [])),
    );
    equal(errors!.filter(({ error }) => error.kind === 'failed').length, 1, 'one call of onError for one batch');
    equal(errors!.length, 2, 'one call for the rejected event');
    ok(ids(errors![0]!.events).every((id) => id !== ''));
  },
  async 'C-062'(one) {
    const proxy = await one.proxy('refuse');
    await one.open({ timeoutMs: 300, batchSize: 10 }, proxy.url);
    for (let i = 0; i < 3; i++) await one.driver.do('trackMany', { event: one.click(), count: 5 });
    await one.driver.do('track', { event: one.click({ user_id: '' }) });
    const lines = one.driver
      .stderr()
      .split('\n')
      .filter((line) => line.includes('clickmesh: '));
    equal(lines.length, 1, `lines of warning:\n${one.driver.stderr()}`);
    match(lines[0]!, /lost|not sent|given up/i);
  },
  async 'C-063'(one) {
    await one.open();
    equal((await one.driver.do('trackMany', { event: one.click(), count: 1000 })).accepted, 1000);
    accepted((await one.driver.do('send', { event: one.click() })).result);
    equal((await one.driver.do('close')).error, undefined);
    one.driver.do('exit', { how: 'end' });
    await one.driver.exited;
    equal(one.driver.stderr(), '');
  },
  async 'C-064'(one) {
    const proxy = await one.proxy('cut every other');
    await one.open({ attemptTimeoutMs: 2000, batchSize: 20 }, proxy.url);
    const { accepted: taken } = await one.driver.do('trackMany', {
      event: one.click(),
      count: 500,
      ratePerSecond: 250,
    });
    await one.driver.do('close');
    equal(taken, 500);
    ok(proxy.cuts() > 0, 'nothing was cut');
    expectCounters(await one.counters(), { sent: 500 });
    await one.expectStored(500);
  },
};
