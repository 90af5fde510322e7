import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestClickHouse, type TestClickHouse } from '../../test/fixtures/clickhouse.ts';
import {
  adjustment,
  click,
  conversion,
  FOREIGN_EVENTS,
  type ForeignEvent,
  MAX_VALUE_MICROS,
  NOT_UTF8,
  verdict,
} from '../../test/fixtures/foreign-events.ts';
import { logRecord } from '../../test/fixtures/log-record.ts';
import { readEvent } from '../attribution/input/read-event.ts';
import { EventBatch } from '../attribution/users/event-batch.ts';
import { UserTable } from '../attribution/users/user-table.ts';
import { MIN_TIMESTAMP_MS } from '../contract/event-rules.ts';
import { MAX_TIMESTAMP_MS } from '../contract/limits.ts';
import { insertRecords } from './insert-records.ts';
import { streamOf } from './streams.ts';

/** ClickHouse refuses the records that attribution dead-letters, and no others: the audit compares their counts. */

const SEED = Number(process.env.REFUSED_SEED ?? 1);
const RAW_EVENTS = streamOf('raw-events');

let server: TestClickHouse;
let nextOffset = 0;

beforeAll(async () => {
  server = await startTestClickHouse();
});

afterAll(() => server.close());

/** Why attribution does not fold a record; empty if it does. */
function whyDeadLettered(value: Uint8Array): string {
  const batch = new EventBatch(1, new UserTable());
  return readEvent(logRecord({ value }), 0, batch) ?? '';
}

/** Inserts records at once. Returns why ClickHouse refuses each; empty if it has stored it. */
async function whyRefused(values: readonly Uint8Array[]): Promise<string[]> {
  const first = nextOffset;
  nextOffset += values.length;
  const records = values.map((value, i) => logRecord({ value, offset: first + i }));
  await insertRecords(server.client, RAW_EVENTS, records);
  const result = await server.client.query({
    query: `SELECT * FROM (
        SELECT toUInt32(_offset) AS at, error FROM ingest_errors FINAL WHERE _offset >= {first:UInt64}
        UNION ALL SELECT toUInt32(_offset), '' FROM events_distributed FINAL WHERE _offset >= {first:UInt64}
      ) ORDER BY at`,
    query_params: { first },
    format: 'JSONEachRow',
  });
  const rows = await result.json<{ at: number; error: string }>();
  // Each record is in one of the tables, once.
  expect(rows.map(({ at }) => at)).toEqual(records.map(({ offset }) => offset));
  return rows.map(({ error }) => error);
}

function isUnreadable({ clickhouseReason }: ForeignEvent): boolean {
  return clickhouseReason === 'not readable as Event';
}

/** What stands before a colon. */
function withoutDetails(reason: string): string {
  return reason.replace(/:.*/s, '');
}

test('attribution and ClickHouse agree on foreign events', async () => {
  const readable = FOREIGN_EVENTS.filter((event) => !isUnreadable(event));
  const unreadable = FOREIGN_EVENTS.filter(isUnreadable);
  const refused = await whyRefused(readable.map(({ value }) => value));
  // Each alone: the sink decodes all of an insert that ClickHouse can't read, and may find more than ClickHouse does.
  for (const { value } of unreadable) refused.push(...(await whyRefused([value])));
  const events = [...readable, ...unreadable];
  const found = events.map(({ name, value }, i) => [
    name,
    ...[whyDeadLettered(value), refused[i]!].map(withoutDetails),
  ]);
  expect(found).toEqual(
    events.map(({ name, reason = '', clickhouseReason = reason }) => [name, reason, clickhouseReason]),
  );
});

const text = fc.oneof(
  { weight: 12, arbitrary: fc.string({ unit: 'grapheme', maxLength: 20 }) },
  { weight: 3, arbitrary: fc.string({ unit: fc.constantFrom('a', 'é', '😀'), minLength: 60, maxLength: 130 }) },
  { weight: 1, arbitrary: fc.constantFrom('', '\0', 'a\0b', NOT_UTF8, `a${NOT_UTF8}`) },
);
function around(...bounds: bigint[]): fc.Arbitrary<bigint> {
  return fc.tuple(fc.constantFrom(...bounds), fc.bigInt({ min: -2n, max: 2n })).map(([bound, by]) => bound + by);
}
const timestamp = fc.oneof(
  { weight: 9, arbitrary: fc.bigInt({ min: BigInt(MIN_TIMESTAMP_MS), max: BigInt(MAX_TIMESTAMP_MS) }) },
  { weight: 1, arbitrary: around(0n, BigInt(MIN_TIMESTAMP_MS), BigInt(MAX_TIMESTAMP_MS)) },
);
const valueMicros = around(5n, 0n, MAX_VALUE_MICROS);
const eventId = fc.oneof(
  // Random, as no two events in the table may have the same.
  { weight: 19, arbitrary: fc.constant('').map(() => randomUUID() as string) },
  { weight: 1, arbitrary: fc.constantFrom('a', NOT_UTF8, randomUUID().toUpperCase(), ` ${randomUUID()}`) },
);
const metadata = fc.dictionary(text, text, { maxKeys: 2 });
const correction = { eventId, userId: text, timestamp, reason: text };
const kind = fc.oneof({ weight: 9, arbitrary: fc.constantFrom('refund', 'restate', 'retract') }, text);
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const event = fc.oneof(
  fc.record({ eventId, userId: text, adId: text, campaignId: text, source: text, timestamp, metadata }).map(click),
  fc.record({ eventId, userId: text, type: text, source: text, timestamp, valueMicros }).map(conversion),
  fc.record({ ...correction, conversionId: eventId, kind, valueMicros: maybe(valueMicros) }).map(adjustment),
  fc.record({ ...correction, clickId: eventId, valid: maybe(fc.boolean()) }).map(verdict),
);

test(`they agree on generated events (seed ${SEED})`, async () => {
  const values = fc.sample(event, { seed: SEED, numRuns: 1500 });
  const refused = await whyRefused(values);
  const reasons = values.map(whyDeadLettered);
  // Attribution finds what is not UTF-8 while it decodes, before anything else.
  const expected = reasons.map((reason, i) => (reason.startsWith('not an Event') ? refused[i] || reason : reason));
  expect(refused).toEqual(expected);
  expect(new Set(reasons.map(withoutDetails)).size).toBeGreaterThan(15);
  expect(reasons).toContain('');
});

test(`they agree on events that were cut off (seed ${SEED})`, async () => {
  const cut = fc.tuple(event, fc.nat()).map(([value, at]) => value.subarray(0, at % value.length));
  for (const value of fc.sample(cut, { seed: SEED, numRuns: 20 })) {
    const [refused] = await whyRefused([value]);
    expect(refused).not.toBe('');
    expect(whyDeadLettered(value)).not.toBe('');
  }
});
