import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClickSchema, ConversionSchema, type Event, EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import {
  type Acceptance,
  AcceptanceSchema,
  IngestBatchRequestSchema,
  type IngestBatchResponse,
  IngestBatchResponseSchema,
  IngestResponseSchema,
  IngestResultSchema,
  RejectReason,
} from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { scanEvent } from '../../../gen/wire/event-wire.ts';
import type { RecordPosition } from '../../log/event-log.ts';
import type { Appended } from '../append-events.ts';
import { encodeBatchResponse, encodeResponse } from '../response.ts';
import { accept, type Outcome } from './accept.ts';
import { acceptBytes } from './accept-bytes.ts';

const NOW = Date.UTC(2026, 0, 2);
const DAY = 86_400_000;
const TERMS = { now: NOW, currency: 'USD' };
const ID = '0b0b0b0b-0000-4000-8000-0000000000ff';
const CLICK = { eventId: ID, userId: 'u', adId: 'a', campaignId: 'c', source: 's', timestamp: BigInt(NOW) };
const CONVERSION = { eventId: ID, userId: 'u', type: 'purchase', source: 's', timestamp: BigInt(NOW) };

const click = (change: object = {}): Event =>
  create(EventSchema, { event: { case: 'click', value: create(ClickSchema, { ...CLICK, ...change }) } });
const conversion = (change: object = {}): Event =>
  create(EventSchema, { event: { case: 'conversion', value: create(ConversionSchema, { ...CONVERSION, ...change }) } });
const requestOf = (events: Event[]): Buffer =>
  Buffer.from(toBinary(IngestBatchRequestSchema, create(IngestBatchRequestSchema, { events })));

/** What the decoder of all of Protobuf and `accept` say; undefined if the request can't be decoded. */
function decodedOutcomes(request: Buffer): Outcome[] | undefined {
  try {
    return fromBinary(IngestBatchRequestSchema, request).events.map((event) => plain(accept(event, TERMS)));
  } catch {
    return undefined;
  }
}

function plain(outcome: Outcome): Outcome {
  if (outcome.kind === 'rejected') return outcome;
  return { ...outcome, event: { ...outcome.event, bytes: Buffer.from(outcome.event.bytes) } };
}

/** What can be decoded as a whole is judged as that is; of what can't, each event by itself or none. */
function expectSame(request: Buffer): void {
  const before = Buffer.from(request);
  const decoded = decodedOutcomes(request);
  const outcomes = outcomesOf(request);
  // An item that ends early may be read with the bytes behind it where the request is decoded as one.
  const isBroken = outcomes?.some((outcome) => outcome.kind === 'rejected' && outcome.rejection.field === 'event');
  if (decoded !== undefined && outcomes !== undefined && !isBroken) expect(outcomes.map(plain)).toEqual(decoded);
  expect(request.equals(before)).toBe(true);
}

/** Undefined if the events can't be told apart. */
function outcomesOf(request: Buffer): Outcome[] | undefined {
  try {
    return acceptBytes(request, TERMS);
  } catch (error) {
    expect(error).toMatchObject({ code: Code.InvalidArgument });
    return undefined;
  }
}

const isScanned = (event: Event): boolean => {
  const bytes = Buffer.from(toBinary(EventSchema, event));
  return scanEvent(bytes, 0, bytes.length, NOW) !== undefined;
};

const text = fc.oneof(
  { weight: 8, arbitrary: fc.string({ minLength: 1, maxLength: 10 }) },
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('', '\0', '😀', '\ufeff', 'x'.repeat(127), 'x'.repeat(128), 'x'.repeat(129), 'ü'.repeat(64)),
);
const eventId = fc.oneof(
  { weight: 9, arbitrary: fc.uuid() },
  fc.uuid().map((id) => id.toUpperCase()),
  fc.uuid().map((id) => id.replace(/[0-9]/, 'A')),
  fc.constantFrom('', 'x'.repeat(36), ID.slice(1), ID.replace('-', '0')),
);
const timestamp = fc.oneof(
  { weight: 9, arbitrary: fc.bigInt({ min: BigInt(NOW - DAY), max: BigInt(NOW + DAY) }) },
  fc.constantFrom(0n, 1n, -1n, BigInt(NOW + DAY + 1), BigInt(Date.UTC(2000, 0, 1)), BigInt(Date.UTC(2000, 0, 1) - 1)),
);
const value = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 0, max: 10_000_000 }).map((cents) => cents / 100),
  fc.integer({ min: 0, max: 10_000 }).map((odd) => (2 * odd + 1) / 2 ** 7),
  fc.integer({ min: 0, max: 2 ** 30 }).map((halves) => (halves + 0.5) / 1e6),
  fc.double(),
  fc.constantFrom(-0, Number.NaN, -1, 1e12, 562_949_953, 562_949_954, 1e-9),
);
const valueMicros = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0n) },
  fc.bigInt({ min: 0n, max: 10n ** 18n }),
  fc.constantFrom(1n, -1n, 2n ** 49n, 2n ** 49n - 1n, 10n ** 18n + 1n),
);
const key = fc.oneof(text, fc.constantFrom('__proto__', 'constructor', '1', '01', 'k'));
const metadata = fc.oneof(
  fc.dictionary(key, text, { maxKeys: 4 }),
  fc.dictionary(key, text, { minKeys: 30, maxKeys: 34 }),
  fc.constantFrom({ k: 'v'.repeat(4095) }, { k: 'v'.repeat(4096) }),
);
const well = (texts: object) => Object.values(texts).every((each) => typeof each !== 'string' || each.isWellFormed());
const clicks = fc
  .record({ eventId, userId: text, adId: text, campaignId: text, source: text, timestamp, metadata })
  .filter((each) => well(each) && well(each.metadata) && well(Object.keys(each.metadata)))
  .map(click);
const conversions = fc
  .record({ eventId, userId: text, type: text, source: text, timestamp, value, valueMicros })
  .filter(well)
  .map(conversion);
const events = fc.array(fc.oneof(clicks, conversions, fc.constant(create(EventSchema))), { maxLength: 4 });

const mutation = fc.record({
  at: fc.nat(),
  how: fc.constantFrom('set', 'insert', 'remove', 'cut', 'repeat'),
  byte: fc.oneof(fc.nat(255), fc.constantFrom(0, 0x0a, 0x12, 0x38, 0x3a, 0x80, 0xff)),
});
const valid = fc.constantFrom(click({ metadata: { a: 'b', c: 'd' } }), conversion({ value: 3 }), conversion());

describe('an event in its bytes', () => {
  it.each([
    ['a click', click()],
    ['a click with metadata', click({ metadata: { browser: 'Chrome', geo: '', '': 'x', __proto__x: 'ü' } })],
    [
      'a click of 127 byte ids',
      click({ userId: 'x'.repeat(127), adId: 'y'.repeat(127), metadata: { k: 'v'.repeat(4000) } }),
    ],
    ['a click with an id in upper case', click({ eventId: ID.toUpperCase() })],
    ['a long click with an id in upper case', click({ eventId: ID.toUpperCase(), metadata: { k: 'v'.repeat(4000) } })],
    ['a click of 😀', click({ userId: '😀' })],
    ['a conversion', conversion()],
    ['a conversion with a value', conversion({ value: 19.99 })],
    ['a conversion with micros', conversion({ valueMicros: 19_990_001n })],
    ['a conversion with an id in upper case', conversion({ value: 0.0000005, eventId: ID.toUpperCase() })],
  ])('is scanned: %s', (_, event) => {
    expect(isScanned(event)).toBe(true);
    expectSame(requestOf([event]));
  });

  it.each([
    ['nothing', create(EventSchema)],
    ['an id of 128 bytes', click({ userId: 'x'.repeat(128) })],
    ['both worths', conversion({ value: 1, valueMicros: 1_000_000n })],
    ['a key that is a number', click({ metadata: { b: '', 1: '' } })],
    ['NUL', click({ userId: 'a\0' })],
    ['an unknown field', create(EventSchema, { ...click(), $unknown: [{ no: 9, wireType: 0, data: Buffer.of(1) }] })],
  ])('is left to accept: %s', (_, event) => {
    expect(isScanned(event)).toBe(false);
    expectSame(requestOf([event, click()]));
  });

  it('is judged as once it is decoded', () => {
    let scanned = 0;
    fc.assert(
      fc.property(events, (some) => {
        scanned += some.filter(isScanned).length;
        const request = requestOf(some);
        expect(acceptBytes(request, TERMS)).toBeDefined();
        expectSame(request);
      }),
      { numRuns: 2000 },
    );
    expect(scanned).toBeGreaterThan(500);
  });

  it('is judged as once it is decoded, if it can be, whatever became of its bytes', () => {
    fc.assert(
      fc.property(
        fc.array(valid, { minLength: 1, maxLength: 2 }),
        fc.array(mutation, { maxLength: 3 }),
        (some, changes) => expectSame(changes.reduce(mutated, requestOf(some))),
      ),
      { numRuns: 5000 },
    );
  });

  it('is judged as once it is decoded, if it can be, wherever its bytes are cut', () => {
    const request = requestOf([click({ metadata: { a: 'b', c: 'd' } }), conversion({ value: 3 })]);
    for (let end = 0; end < request.length; end++) {
      expectSame(request.subarray(0, end));
      // What follows in memory must not be looked at.
      expectSame(Buffer.concat([request, request]).subarray(0, end));
    }
  });

  it('with a key twice is left to accept', () => {
    const entry = Buffer.from('3a060a016b120176', 'hex');
    const body = Buffer.concat([toBinary(EventSchema, click()).subarray(2), entry, entry]);
    const event = Buffer.concat([Buffer.of(0x0a, body.length), body]);
    expect(scanEvent(event, 0, event.length, NOW)).toBeUndefined();
    expectSame(Buffer.concat([Buffer.of(0x0a, event.length), event]));
  });
});

function mutated(bytes: Buffer, { at, how, byte }: { at: number; how: string; byte: number }): Buffer {
  const place = bytes.length === 0 ? 0 : at % bytes.length;
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  if (how === 'insert') return Buffer.concat([before, Buffer.of(byte), after]);
  if (how === 'cut') return Buffer.from(before);
  if (how === 'remove') return Buffer.concat([before, after.subarray(1)]);
  if (how === 'repeat') return Buffer.concat([before, after, after]);
  return Buffer.concat([before, Buffer.of(byte), after.subarray(1)]);
}

describe('a request', () => {
  const empty = (items: number) => Buffer.from('0a00'.repeat(items), 'hex');

  it('of 1,000 events is taken', () => expect(acceptBytes(empty(1000), TERMS)).toHaveLength(1000));
  it('of a newer client may have more than events', () => {
    const more = Buffer.from('12021003' + '0a00' + '1807', 'hex');
    expect(acceptBytes(more, TERMS)).toHaveLength(1);
  });
  it.each(['0a', '0a05', '0a80', '0800', 'ff', '0a80808001'])('that is cut or of other types fails: %s', (hex) => {
    expect(outcomesOf(Buffer.from(hex, 'hex'))).toBeUndefined();
  });
  it('with an event that is no Protobuf has the others accepted', () => {
    const good = requestOf([click()]);
    const outcomes = acceptBytes(Buffer.concat([good, Buffer.from('0a02ffff', 'hex'), good]), TERMS);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['accepted', 'rejected', 'accepted']);
    expect(outcomes[1]).toMatchObject({ rejection: { field: 'event', reason: RejectReason.MALFORMED } });
  });
  it('with a text that is not UTF-8 has the others accepted', () => {
    const broken = requestOf([click({ userId: 'Ren_' })]);
    broken[broken.indexOf('Ren_') + 3] = 0xe9;
    const metadata = requestOf([conversion({ metadata: { page: 'Ren_', a: 'b' } })]);
    metadata[metadata.indexOf('Ren_') + 3] = 0xe9;
    const outcomes = acceptBytes(Buffer.concat([requestOf([click()]), broken, metadata]), TERMS);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['accepted', 'rejected', 'accepted']);
    expect(outcomes[1]).toMatchObject({ rejection: { eventId: ID, field: 'user_id', reason: RejectReason.MALFORMED } });
    expect(outcomes[2]).toMatchObject({ ignored: ['metadata.page'] });
  });
});

function acceptance({ event, ignored }: AcceptedOutcome, { partition, offset }: RecordPosition): Acceptance {
  return create(AcceptanceSchema, { eventId: event.eventId, partition, offset: BigInt(offset), ignored: [...ignored] });
}

type AcceptedOutcome = Extract<Outcome, { kind: 'accepted' }>;

/** One result per event, in order. */
function batchResponse({ outcomes, positions }: Appended): IngestBatchResponse {
  let accepted = 0;
  const results = outcomes.map((outcome) => {
    const result =
      outcome.kind === 'accepted'
        ? { case: 'accepted' as const, value: acceptance(outcome, positions[accepted++]!) }
        : { case: 'rejected' as const, value: outcome.rejection };
    return create(IngestResultSchema, { result });
  });
  return create(IngestBatchResponseSchema, { results, accepted, rejected: results.length - accepted });
}

describe('an answer in bytes', () => {
  const names = fc.array(fc.string({ maxLength: 5 }), { maxLength: 2 });
  const position = fc.record({
    partition: fc.oneof(fc.nat(200), fc.constant(2 ** 31 - 1)),
    offset: fc.oneof(fc.nat(300), fc.maxSafeNat()),
  });

  it('is what toBinary makes of the answer', () => {
    fc.assert(
      fc.property(fc.array(fc.option(position), { maxLength: 20 }), names, (places, ignored) => {
        const outcomes = places.map((place, i) =>
          plain(accept(place ? click() : click({ userId: 'x'.repeat(i) }), TERMS, i % 3 === 0 ? ignored : [])),
        );
        const positions = outcomes.flatMap(({ kind }, i) =>
          kind === 'accepted' ? [places[i] ?? { partition: 0, offset: 0 }] : [],
        );
        const appended = { outcomes, positions };
        const bytes = Buffer.from(toBinary(IngestBatchResponseSchema, batchResponse(appended)));
        expect(encodeBatchResponse(appended).equals(bytes)).toBe(true);
      }),
    );
  });

  it('to one event is what toBinary makes of the answer', () => {
    fc.assert(
      fc.property(position, names, (place, ignored) => {
        const outcome = accept(click(), TERMS, ignored) as AcceptedOutcome;
        const response = create(IngestResponseSchema, { acceptance: acceptance(outcome, place) });
        const bytes = Buffer.from(encodeResponse(outcome, place));
        expect(bytes.equals(Buffer.from(toBinary(IngestResponseSchema, response)))).toBe(true);
      }),
    );
  });
});
