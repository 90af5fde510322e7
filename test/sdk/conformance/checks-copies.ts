import { equal, fail, ok } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { accepted, type Case, type Checks, cutSome, failed, rejected } from './case.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Their messages don't tell an empty field from none. */
const isUntold = ({ language }: Case) => language === 'go' || language === 'java';

/** "Copies, ids and times" of gen/README.md. */
export const COPIES: Checks = {
  async 'C-001'(one) {
    await one.open();
    const event = one.click();
    await one.driver.do('mutate', { event, changes: { user_id: `${one.name}-changed`, ad_id: 'changed' } });
    const [stored] = await one.expectStored(1);
    equal(stored!.user_id, event.fields.user_id);
  },
  async 'C-002'(one) {
    await one.open();
    const { object, result } = await one.driver.do('mutate', { event: one.click(), changes: {} });
    accepted(result);
    ok(!object?.event_id, `the caller's object was given the id ${object?.event_id}`);
    ok(!object?.timestamp, `the caller's object was given the time ${object?.timestamp}`);
  },
  async 'C-003'(one) {
    const proxy = await one.proxy('cut');
    await one.open({ attemptTimeoutMs: 2000 }, proxy.url);
    const from = Date.now();
    const answer = one.driver.do('track', { event: one.click() });
    await cutSome(proxy);
    const to = Date.now();
    await proxy.set('none');
    accepted((await answer).result);
    const [stored] = await one.expectStored(1);
    ok(stored!.timestamp >= from && stored!.timestamp <= to, `the time is ${stored!.timestamp}, of ${from} to ${to}`);
  },
  async 'C-004'(one) {
    await one.open();
    const given = accepted((await one.driver.do('track', { event: one.click() })).result);
    ok(UUID.test(given.event_id), `the acceptance has the event_id ${given.event_id}`);
    const [stored] = await one.expectStored(1);
    equal(stored!.event_id, given.event_id);
    equal(stored!.timestamp, given.timestamp);
    const refusal = rejected((await one.driver.do('track', { event: one.click({ ad_id: '' }) })).result, 'ad_id');
    ok(UUID.test(refusal.event_id), `the rejection has the event_id ${refusal.event_id}`);
    ok(Math.abs(refusal.timestamp - Date.now()) < 60_000, `the rejection has the time ${refusal.timestamp}`);
    const proxy = await one.proxy('refuse');
    await one.driver.do('open', { client: 'cut off', url: proxy.url, options: { timeoutMs: 300 } });
    const { result } = await one.driver.do('send', { client: 'cut off', event: one.click() });
    const [event] = failed(result, 'failed').events ?? [];
    ok(UUID.test(event?.event_id ?? ''), `the error has the events ${JSON.stringify(event)}`);
  },
  async 'C-005'(one) {
    await one.open();
    const given = async (fields: Record<string, unknown>) =>
      (await one.driver.do('track', { event: one.click(fields) })).result;
    accepted(await given({ event_id: { $: 'absent' }, timestamp: { $: 'absent' } }));
    if (isUntold(one)) {
      accepted(await given({ event_id: '', timestamp: 0 }));
      return;
    }
    rejected(await given({ event_id: '' }), 'event_id');
    rejected(await given({ timestamp: 0 }), 'timestamp');
    rejected(await given({ timestamp: { $: 'nan' } }), 'timestamp');
    await one.expectStored(1);
  },
  async 'C-006'(one) {
    await one.open();
    const event = one.click();
    for (const call of ['track', 'track', 'send']) accepted((await one.driver.do(call, { event })).result);
    const { results } = await one.driver.do('sendBatch', { events: [event, event] });
    results?.map(accepted);
    await one.expectStored(5);
  },
  async 'C-007'(one) {
    await one.open();
    const { event } = await one.driver.do('complete', { event: one.click() });
    ok(event?.fields.event_id && event.fields.timestamp, `completed is ${JSON.stringify(event)}`);
    for (const call of ['track', 'send', 'track']) accepted((await one.driver.do(call, { event })).result);
    accepted((await one.driver.do('sendBatch', { events: [event] })).results?.[0]);
    const [stored] = await one.expectStored(1);
    equal(stored!.event_id, event.fields.event_id);
  },
  async 'C-008'(one) {
    for (const [call, count] of [
      ['send', 1],
      ['sendBatch', 20],
      ['sendStream', 20],
    ] as const) {
      const proxy = await one.proxy('cut');
      await one.driver.do('open', {
        client: call,
        url: proxy.url,
        options: { timeoutMs: 10_000, attemptTimeoutMs: 5000 },
      });
      const events = one.clicks(count);
      const again = one.driver.do('sendAgain', {
        client: call,
        call,
        ...(count === 1 ? { event: events[0] } : { events }),
      });
      const lost = async () => (await one.driver.do('counters', { client: call })).counters!.lost;
      for (let polls = 0; (await lost()) < count; polls++) {
        if (polls > 600) fail('the first call does not give up');
        await sleep(50);
      }
      ok(proxy.cuts() > 0, 'nothing was cut');
      await proxy.set('none');
      const { error, result } = await again;
      ok(
        error === undefined && result?.error === undefined,
        `${call} failed again: ${JSON.stringify(error ?? result)}`,
      );
    }
    await one.expectStored(41);
  },
  async 'C-009'(one) {
    await one.open();
    const ids = [`order-${one.name}`, '01ARZ3NDEKTSV4RRFFQ69G5FAV', '0123456789abcdef0123456789abcdef', 'é'.repeat(64)];
    const uuid = '7d444840-9dc0-11d1-b245-5ffdce74fad2';
    const stored = new Set<string>();
    for (const event_id of [...ids, { $: 'uuid', value: uuid }]) {
      const given = accepted((await one.driver.do('track', { event: one.click({ event_id }) })).result);
      equal(given.event_id, typeof event_id === 'string' ? event_id : uuid);
      stored.add(given.stored_id);
    }
    const rows = await one.expectStored(5);
    for (const { event_id } of rows) ok(stored.has(event_id), `${event_id} was acknowledged as none`);
  },
};
