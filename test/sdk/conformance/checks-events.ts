import { equal, match, ok } from 'node:assert/strict';
import { create } from '@bufbuild/protobuf';
import { EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { EVENTS, type EventType } from '../../../services/contract/event-rules.ts';
import { accept } from '../../../services/gateway/event/accept.ts';
import { badEventsIn } from './bad-events.ts';
import { accepted, type Case, type Checks, expectCounters, rejected, type Told } from './case.ts';
import type { Answer } from './driver.ts';

const NEIGHBOURS = 999;
const TYPED = new Set(['go', 'java']);

/** "Checked before it is queued" of gen/README.md. */
export const EVENT_CHECKS: Checks = {
  async 'C-010'(one) {
    // Nobody answers: only the client itself can have rejected them.
    const proxy = await one.proxy('refuse');
    await one.open({ silent: true }, proxy.url);
    for (const { name, event, field, reason } of badEventsIn(one.language)) {
      const told = event(one);
      const refusal = rejected((await one.driver.do('track', { event: told })).result, field);
      equal(refusal.reason, reason, name);
      const words = wordsOfGateway(told);
      if (words === undefined) continue;
      equal(refusal.message, words.message, name);
      equal(refusal.limit, words.limit, name);
    }
    equal(proxy.connections(), 0);
  },
  async 'C-011'(one) {
    await one.open({ silent: true });
    let stored = 0;
    for (const bad of badEventsIn(one.language)) {
      for (const way of [tracked, inOneCall('sendBatch'), inOneCall('sendStream')]) {
        rejected({ rejected: await way(one, bad.event(one)) }, bad.field);
        stored += NEIGHBOURS;
      }
      rejected((await one.driver.do('send', { event: bad.event(one) })).result, bad.field);
    }
    await one.expectStored(stored);
  },
  async 'C-012'(one) {
    await one.open({ silent: true });
    const track = async (fields: Record<string, unknown>) =>
      (await one.driver.do('track', { event: one.click(fields) })).result;
    for (const field of ['event_id', 'user_id', 'source']) {
      equal(rejected(await track({ [field]: { $: 'half', value: 'x' } }), field).reason, 'MALFORMED');
      equal(rejected(await track({ [field]: 'x\0' }), field).reason, 'MALFORMED');
    }
    const source = '🛍️👩‍👩‍👧 שלום \ufffe é e\u0301';
    accepted(await track({ source }));
    const [stored] = await one.expectStored(1);
    equal(stored!.source, source);
  },
  async 'C-013'(one) {
    await one.open();
    const scalars = TYPED.has(one.language) ? { number: '5', yes: 'true' } : { number: 5, yes: true };
    const metadata = { q: { $: 'half', value: 'x' }, gclid: 'abc', ...scalars };
    const { ignored } = accepted((await one.driver.do('track', { event: one.click({ metadata }) })).result);
    ok(ignored.includes('metadata.q'), `ignored are ${ignored}`);
    const [stored] = await one.expectStored(1);
    equal(JSON.stringify(Object.entries(stored!.metadata).sort()), '[["gclid","abc"],["number","5"],["yes","true"]]');
  },
  async 'C-014'(one) {
    await one.open({ silent: true });
    const big = one.click({ metadata: { blob: { $: 'repeat', value: 'x', count: 1_200_000 } } });
    const { results } = await one.driver.do('sendBatch', { events: [...one.clicks(200), big, ...one.clicks(200)] });
    equal(rejected(results?.[200], 'event').reason, 'TOO_LONG');
    equal(results!.filter((result) => result.accepted).length, 400);
    rejected((await one.driver.do('send', { event: big })).result, 'event');
    await one.expectStored(400);
  },
  async 'C-015'(one) {
    await one.open({ silent: true });
    for (const item of TYPED.has(one.language) ? [null] : [null, 'no event', 5, {}]) {
      rejected((await one.driver.do('track', { event: item })).result, 'event');
      const { results } = await one.driver.do('sendBatch', { events: [one.click(), item, one.click()] });
      rejected(results?.[1], 'event');
    }
    if (TYPED.has(one.language)) return;
    for (const call of ['sendBatch', 'sendStream']) {
      const { error } = await one.driver.do(call, { event: one.click() });
      match(error?.message ?? 'it was taken', /list|iterable/, `${call} of one event`);
    }
  },
  async 'C-016'(one) {
    await one.open({ silent: true });
    const track = async (event: Told) => (await one.driver.do('track', { event })).result;
    match(rejected(await track(one.click({ campain_id: 'x' })), 'campain_id').message, /campaign_?id/i);
    match(rejected(await track(one.conversion({ valu: 5 })), 'valu').message, /value/);
    rejected(await track(one.conversion({ revenue: 49.9 })), 'revenue');
  },
  async 'C-017'(one) {
    await one.open({ silent: true });
    const track = async (timestamp: unknown) =>
      (await one.driver.do('track', { event: one.click({ timestamp }) })).result;
    const ms = Date.UTC(2026, 10, 1, 5, 30, 0, 123);
    accepted(await track({ $: 'date', value: new Date(ms).toISOString() }));
    equal((await one.expectStored(1))[0]!.timestamp, ms);
    if (TYPED.has(one.language)) return;
    rejected(await track('yesterday'), 'timestamp');
    rejected(await track(ms + 0.5), 'timestamp');
    if (one.language !== 'python') return;
    match(rejected(await track({ $: 'naive', value: '2026-11-01T05:30:00' }), 'timestamp').message, /zone|utc/i);
  },
  async 'C-018'(one) {
    await one.open({ silent: true });
    const track = async (fields: Record<string, unknown>) =>
      (await one.driver.do('track', { event: one.conversion(fields) })).result;
    const micros = async (fields: Record<string, unknown>) => {
      const { event_id } = accepted(await track(fields));
      return (await one.stored()).find((event) => event.event_id === event_id)?.value_micros;
    };
    equal(await micros({ value_micros: { $: 'integer', value: '9007199254740993' } }), '9007199254740993');
    equal(await micros({ value: '4245.42' }), '4245420000');
    equal(await micros({ value: '9007199254.740993' }), '9007199254740993');
    for (const value of ['4,245.42', '$5', '0x10', ' 5', 'five']) rejected(await track({ value }), 'value');
    // In a struct of Go it is absent.
    if (one.language !== 'go') rejected(await track({ value: '' }), 'value');
    if (TYPED.has(one.language)) return;
    for (const value of [true, [5], {}]) rejected(await track({ value }), 'value');
  },
  async 'C-019'(one) {
    await one.open({ silent: true });
    const bad = badEventsIn(one.language).map(({ event }) => event(one));
    await one.driver.do('trackAll', { events: [...one.clicks(10), ...bad, ...one.clicks(10)] });
    await one.driver.do('flush', { limitMs: 30_000 });
    expectCounters(await one.counters(), { sent: 20, rejected: bad.length, lost: 0, waiting: 0 });
    await one.expectStored(20);
  },
};

/** As the gateway has them of the same event; undefined for what can't be an Event there. */
function wordsOfGateway(told: Told | null): { message: string; limit: string } | undefined {
  const type = told?.type as EventType | undefined;
  if (told === null || JSON.stringify(told).includes('"$":')) return undefined;
  const { fields } = EVENTS[type!];
  const given = Object.entries(told.fields);
  const known = given.map(([name, value]) => [fields.find((field) => field.name === name)?.localName, value] as const);
  if (known.some(([name]) => name === undefined)) return undefined;
  const value = { eventId: 'id', timestamp: BigInt(Date.now()), ...Object.fromEntries(known) };
  value.timestamp = BigInt(value.timestamp);
  const message = create(EventSchema, { event: { case: type!, value: create(EVENTS[type!].message, value) } as never });
  const outcome = accept(message, { now: Date.now(), currency: 'USD' });
  return outcome.kind === 'rejected' ? outcome.rejection : undefined;
}

type Way = (one: Case, bad: Told | null) => Promise<NonNullable<Answer['result']>['rejected']>;

async function tracked(one: Case, bad: Told | null): ReturnType<Way> {
  const answers = await Promise.all([
    one.driver.do('trackMany', { event: one.click(), count: 500 }),
    one.driver.do('track', { event: bad }),
    one.driver.do('trackMany', { event: one.click(), count: NEIGHBOURS - 500 }),
  ]);
  equal(
    answers[0].accepted! + answers[2].accepted!,
    NEIGHBOURS,
    JSON.stringify(answers[0].errors ?? answers[2].errors),
  );
  return answers[1].result?.rejected;
}

function inOneCall(call: 'sendBatch' | 'sendStream'): Way {
  return async (one, bad) => {
    const events = [...one.clicks(500), bad, ...one.clicks(NEIGHBOURS - 500)];
    const { results, accepted: taken, rejections } = await one.driver.do(call, { events });
    if (call === 'sendBatch') {
      equal(results?.filter((result) => result.accepted).length, NEIGHBOURS);
      return results?.[500]?.rejected;
    }
    equal(taken, NEIGHBOURS);
    equal(rejections?.[0]?.index, 500);
    return rejections?.[0]?.rejected;
  };
}
