import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { findFields } from '../../../gen/wire/event-wire.ts';
import { logRecord } from '../../../test/fixtures/log-record.ts';
import { plainTouch } from '../../../test/fixtures/plain-state.ts';
import { MIN_TIMESTAMP_MS } from '../../contract/event-rules.ts';
import { MAX_TIMESTAMP_MS } from '../../contract/limits.ts';
import { parseRollups } from '../../contract/rollups.ts';
import { EventBatch } from '../users/event-batch.ts';
import { UserTable } from '../users/user-table.ts';
import { readEvent, readMessage } from './read-event.ts';

const text = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.string({ minLength: 120, maxLength: 140 }),
);
const timestamp = fc.oneof(
  fc.bigInt({ min: BigInt(MIN_TIMESTAMP_MS), max: BigInt(MAX_TIMESTAMP_MS) }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);
const eventId = fc.oneof({ weight: 9, arbitrary: fc.uuid() }, { weight: 1, arbitrary: text });
const metadata = fc.dictionary(fc.oneof(text, fc.constantFrom('geo', 'os', 'ge', '__proto__')), text, { maxKeys: 3 });
const click = fc.record({ eventId, userId: text, adId: text, campaignId: text, source: text, timestamp, metadata });
const valueMicros = fc.oneof(fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.bigInt({ min: -9n, max: 9n }));
const conversion = fc.record({
  eventId,
  userId: text,
  type: text,
  value: fc.double(),
  source: text,
  timestamp,
  valueMicros,
});
const event = fc.oneof(
  click.map((value) => create(EventSchema, { event: { case: 'click', value } })),
  conversion.map((value) => create(EventSchema, { event: { case: 'conversion', value } })),
);

/** What a record is read as, with the texts of a click's touch read. */
function readBoth(value: Uint8Array) {
  return [readEvent, readMessage].map((read) => {
    const batch = new EventBatch(1, new UserTable(parseRollups('day:metadata.geo; hour:metadata.os')));
    const breach = read(logRecord({ value, offset: 7 }), 42, batch);
    if (breach !== undefined) return breach;
    batch.findUsers();
    const event = batch.eventAt(0);
    if (event.role !== 'touch') return event;
    return { ...event, touch: plainTouch(event.touch) };
  });
}

test('what is found in the bytes of an event is what a decoder of messages finds', () => {
  fc.assert(
    fc.property(event, (message) => {
      const [quick, whole] = readBoth(toBinary(EventSchema, message));
      expect(quick).toEqual(whole);
    }),
    { numRuns: 2000 },
  );
});

test('so it is of bytes that were cut, changed or are none of ours', () => {
  const broken = fc.tuple(event, fc.nat(), fc.nat(255), fc.nat()).map(([message, place, byte, length]) => {
    const bytes = toBinary(EventSchema, message);
    bytes[place % bytes.length] = byte;
    return bytes.subarray(0, length % 3 === 0 ? length % bytes.length : bytes.length);
  });
  fc.assert(
    fc.property(fc.oneof(broken, fc.uint8Array({ maxLength: 100 })), (bytes) => {
      const [quick, whole] = readBoth(bytes);
      expect(quick).toEqual(whole);
    }),
    { numRuns: 5000 },
  );
});

test('a usual event takes the quick way', () => {
  const value = {
    eventId: '00000000-0000-4000-8000-000000000001',
    userId: 'ann',
    adId: 'ad',
    campaignId: 'camp',
    source: 'src',
    timestamp: 1_700_000_000_000n,
    metadata: { browser: 'Chrome' },
  };
  const bytes = Buffer.from(toBinary(EventSchema, create(EventSchema, { event: { case: 'click', value } })));
  expect(findFields(bytes, 0, bytes.length)).toMatchObject({ kind: 'click', timestamp: 1_700_000_000_000 });
});
