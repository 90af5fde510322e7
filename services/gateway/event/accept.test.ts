import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AdjustmentSchema,
  ClickSchema,
  ConversionSchema,
  type Event,
  EventSchema,
  VerdictSchema,
} from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { RejectReason } from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { storedEventId } from '../../contract/event-id.ts';
import { MAX_ID_BYTES } from '../../contract/event-rules.ts';
import { accept } from './accept.ts';

const NOW = Date.UTC(2026, 0, 2);
const DAY = 86_400_000;
const TERMS = { now: NOW, currency: 'USD' };
const MIN = BigInt(Date.UTC(2000, 0, 1));
const ID = '0b0b0b0b-0000-4000-8000-0000000000ff';
const CLICK = { eventId: ID, userId: 'u', adId: 'a', campaignId: 'c', source: 's', timestamp: BigInt(NOW) };
const CONVERSION = { eventId: ID, userId: 'u', type: 'purchase', source: 's', timestamp: BigInt(NOW) };

const click = (change: object): Event =>
  create(EventSchema, { event: { case: 'click', value: create(ClickSchema, { ...CLICK, ...change }) } });
const conversion = (change: object): Event =>
  create(EventSchema, { event: { case: 'conversion', value: create(ConversionSchema, { ...CONVERSION, ...change }) } });

const CORRECTION = { eventId: ID, userId: 'u', timestamp: BigInt(NOW) };
const REFUND = { ...CORRECTION, conversionId: 'order-1001', kind: 'refund', value: 5 };
const VERDICT = { ...CORRECTION, clickId: ID, valid: false };
const adjustment = (change: object): Event =>
  create(EventSchema, { event: { case: 'adjustment', value: create(AdjustmentSchema, { ...REFUND, ...change }) } });
const ofVerdict = (change: object): Event =>
  create(EventSchema, { event: { case: 'verdict', value: create(VerdictSchema, { ...VERDICT, ...change }) } });

const entries = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, '']));
const sized = (bytes: number) => ({ k: 'x'.repeat(bytes - 1) });

/** "ok", with what was ignored behind it, or the field and the reason, as in "user_id REQUIRED". */
function verdict(event: Event): string {
  const outcome = accept(event, TERMS);
  if (outcome.kind === 'accepted') return ['ok', ...outcome.ignored].join(' ');
  return `${outcome.rejection.field} ${RejectReason[outcome.rejection.reason]}`;
}

const CASES: [string, Event, string][] = [
  ['click', click({}), 'ok'],
  ['conversion', conversion({}), 'ok'],
  ['no eventCase', create(EventSchema), 'event UNKNOWN_EVENT_TYPE'],

  ['click without event_id', click({ eventId: '' }), 'event_id REQUIRED'],
  ['click without user_id', click({ userId: '' }), 'user_id REQUIRED'],
  ['click without ad_id', click({ adId: '' }), 'ad_id REQUIRED'],
  ['click without campaign_id', click({ campaignId: '' }), 'campaign_id REQUIRED'],
  ['click without source', click({ source: '' }), 'source REQUIRED'],
  ['click without timestamp', click({ timestamp: 0n }), 'timestamp REQUIRED'],
  ['conversion without event_id', conversion({ eventId: '' }), 'event_id REQUIRED'],
  ['conversion without user_id', conversion({ userId: '' }), 'user_id REQUIRED'],
  ['conversion without type', conversion({ type: '' }), 'type REQUIRED'],
  ['conversion without source', conversion({ source: '' }), 'source REQUIRED'],
  ['conversion without timestamp', conversion({ timestamp: 0n }), 'timestamp REQUIRED'],

  ['UUID v7', click({ eventId: '01890a5d-ac96-774b-bcce-b302099a8057' }), 'ok'],
  ['UUID in upper case', click({ eventId: ID.toUpperCase() }), 'ok'],
  ['UUID without dashes', click({ eventId: ID.replaceAll('-', '') }), 'ok'],
  ['any other text', click({ eventId: 'order-1001' }), 'ok'],
  ['event_id of 128 bytes', click({ eventId: 'x'.repeat(128) }), 'ok'],
  ['event_id of 129 bytes', click({ eventId: 'x'.repeat(129) }), 'event_id TOO_LONG'],
  ['NUL in event_id', click({ eventId: 'a\0' }), 'event_id MALFORMED'],
  ['nil UUID', conversion({ eventId: '00000000-0000-0000-0000-000000000000' }), 'event_id PLACEHOLDER'],
  ['user_id of nobody', click({ userId: 'undefined' }), 'user_id PLACEHOLDER'],
  ['ad_id of nothing', click({ adId: '[object Object]' }), 'ad_id PLACEHOLDER'],
  ['campaign_id not filled in', click({ campaignId: '{{campaign.id}}' }), 'campaign_id PLACEHOLDER'],
  ['blank user_id', conversion({ userId: ' \u200b' }), 'user_id PLACEHOLDER'],
  ['source and type that would be no ids', conversion({ source: 'null', type: 'None' }), 'ok'],
  ['currency of the mesh', conversion({ currency: 'USD' }), 'ok'],
  ['currency in lower case', conversion({ currency: 'usd' }), 'ok'],
  ['another currency', conversion({ currency: 'JPY' }), 'currency OTHER_CURRENCY'],

  ['NUL in an id', click({ userId: 'u\0' }), 'user_id MALFORMED'],
  ['lone surrogate in an id', conversion({ type: '\ud800' }), 'type MALFORMED'],
  ['NUL in a metadata key', click({ metadata: { 'a\0': '' } }), 'ok metadata.a\0'],
  ['lone surrogate in a metadata value', click({ metadata: { a: '\udfff' } }), 'ok metadata.a'],
  ['surrogates split over key and value', click({ metadata: { '\ud83d': '\ude00' } }), 'ok metadata.\ufffd'],
  ['emoji', click({ userId: '😀', metadata: { '😀': '😀' } }), 'ok'],

  ['user_id of 128 bytes', click({ userId: 'x'.repeat(128) }), 'ok'],
  ['user_id of 129 bytes', click({ userId: 'x'.repeat(129) }), 'user_id TOO_LONG'],
  ['user_id of 64 characters, 128 bytes', click({ userId: 'ü'.repeat(64) }), 'ok'],
  ['user_id of 65 characters, 130 bytes', click({ userId: 'ü'.repeat(65) }), 'user_id TOO_LONG'],
  ['ad_id of 129 bytes', click({ adId: 'x'.repeat(129) }), 'ad_id TOO_LONG'],
  ['campaign_id of 129 bytes', click({ campaignId: 'x'.repeat(129) }), 'campaign_id TOO_LONG'],
  ['source of 129 bytes', click({ source: 'x'.repeat(129) }), 'source TOO_LONG'],
  ['conversion type of 128 bytes', conversion({ type: 'x'.repeat(128) }), 'ok'],
  ['conversion type of 129 bytes', conversion({ type: 'x'.repeat(129) }), 'type TOO_LONG'],

  ['32 metadata entries', click({ metadata: entries(32) }), 'ok'],
  ['33 metadata entries', click({ metadata: entries(33) }), 'ok metadata.k32'],
  ['4,096 bytes of metadata', click({ metadata: sized(4096) }), 'ok'],
  ['4,097 bytes of metadata', click({ metadata: sized(4097) }), 'ok metadata.k'],
  ['4,097 bytes of metadata in 2-byte characters', click({ metadata: { k: 'ü'.repeat(2048) } }), 'ok metadata.k'],

  ['timestamp at 2000-01-01', click({ timestamp: MIN }), 'ok'],
  ['timestamp before 2000-01-01', click({ timestamp: MIN - 1n }), 'timestamp OUT_OF_RANGE'],
  ['timestamp in seconds', click({ timestamp: BigInt(NOW / 1000) }), 'timestamp OUT_OF_RANGE'],
  ['timestamp 24 h ahead', conversion({ timestamp: BigInt(NOW + DAY) }), 'ok'],
  ['timestamp 24 h and 1 ms ahead', conversion({ timestamp: BigInt(NOW + DAY) + 1n }), 'timestamp OUT_OF_RANGE'],
  ['timestamp beyond int64', click({ timestamp: 1n << 70n }), 'timestamp OUT_OF_RANGE'],

  ['NaN', conversion({ value: Number.NaN }), 'value NOT_FINITE'],
  ['infinity', conversion({ value: Number.POSITIVE_INFINITY }), 'value NOT_FINITE'],
  ['minus infinity', conversion({ value: Number.NEGATIVE_INFINITY }), 'value NOT_FINITE'],
  ['minus zero', conversion({ value: -0 }), 'ok'],
  ['value just below 0', conversion({ value: -Number.MIN_VALUE }), 'value OUT_OF_RANGE'],
  ['value of 1e12', conversion({ value: 1e12 }), 'ok'],
  ['value above 1e12', conversion({ value: 1e12 + 0.001 }), 'value OUT_OF_RANGE'],
  ['value_micros of 1e18', conversion({ valueMicros: 10n ** 18n }), 'ok'],
  ['value_micros above 1e18', conversion({ valueMicros: 10n ** 18n + 1n }), 'value_micros OUT_OF_RANGE'],
  ['value_micros below 0', conversion({ valueMicros: -1n }), 'value_micros OUT_OF_RANGE'],
  ['value and value_micros agree', conversion({ value: 19.99, valueMicros: 19_990_000n }), 'ok'],
  ['they agree beyond 2^53', conversion({ value: 123456789012.34, valueMicros: 123456789012340000n }), 'ok'],
  ['they disagree', conversion({ value: 19.99, valueMicros: 19_990_001n }), 'value_micros CONTRADICTION'],

  ['refund', adjustment({}), 'ok'],
  ['refund of micros', adjustment({ value: undefined, valueMicros: 5n }), 'ok'],
  ['refund of nothing', adjustment({ value: 0 }), 'ok'],
  ['refund without a value', adjustment({ value: undefined }), 'value REQUIRED'],
  ['restate to 0', adjustment({ kind: 'restate', value: undefined, valueMicros: 0n }), 'ok'],
  ['restate without a value', adjustment({ kind: 'restate', value: undefined }), 'value REQUIRED'],
  ['retract', adjustment({ kind: 'retract', value: undefined }), 'ok'],
  ['retract with a value', adjustment({ kind: 'retract' }), 'value CONTRADICTION'],
  ['retract with 0', adjustment({ kind: 'retract', value: undefined, valueMicros: 0n }), 'value_micros CONTRADICTION'],
  ['no kind', adjustment({ kind: '' }), 'kind REQUIRED'],
  ['a kind in upper case', adjustment({ kind: 'Refund' }), 'kind UNKNOWN_CHOICE'],
  ['a kind of half a surrogate pair', adjustment({ kind: '\ud800' }), 'kind MALFORMED'],
  ['no conversion', adjustment({ conversionId: '' }), 'conversion_id REQUIRED'],
  ['conversion_id of nobody', adjustment({ conversionId: 'undefined' }), 'conversion_id PLACEHOLDER'],
  ['conversion_id of 129 bytes', adjustment({ conversionId: 'x'.repeat(129) }), 'conversion_id TOO_LONG'],
  ['reason of 129 bytes', adjustment({ reason: 'x'.repeat(129) }), 'reason TOO_LONG'],
  ['refund below 0', adjustment({ value: -5 }), 'value OUT_OF_RANGE'],
  ['refund that is no number', adjustment({ value: Number.NaN }), 'value NOT_FINITE'],
  ['refund of two values', adjustment({ valueMicros: 6_000_000n }), 'value_micros CONTRADICTION'],
  ['refund of 0 and of something', adjustment({ value: 0, valueMicros: 6n }), 'value_micros CONTRADICTION'],
  ['refund of the same twice', adjustment({ valueMicros: 5_000_000n }), 'ok'],
  ['refund in another currency', adjustment({ currency: 'JPY' }), 'currency OTHER_CURRENCY'],

  ['click found invalid', ofVerdict({}), 'ok'],
  ['click found valid', ofVerdict({ valid: true, reason: 'looked again' }), 'ok'],
  ['neither', ofVerdict({ valid: undefined }), 'valid REQUIRED'],
  ['no click', ofVerdict({ clickId: '' }), 'click_id REQUIRED'],
];

describe('accept', () => {
  it.each(CASES)('%s', (_, event, expected) => {
    expect(verdict(event)).toBe(expected);
  });

  it.each([
    [0, 0n],
    [-0, 0n],
    [19.99, 19_990_000n],
    [0.0000005, 0n],
    [0.0000006, 1n],
    [0.0078125, 7_813n],
    [999_999_999.999999, 999_999_999_999_999n],
    [1e12, 10n ** 18n],
  ])('stores the value %d as %d micros', (value, valueMicros) => {
    expect(stored(conversion({ value }))).toMatchObject({ value: 0, valueMicros });
  });

  it('keeps value_micros where the client sent it', () => {
    expect(stored(conversion({ valueMicros: 7n }))).toMatchObject({ value: 0, valueMicros: 7n });
  });

  it('stores event_id in lower case', () => {
    expect(stored(click({ eventId: ID.toUpperCase() }))).toMatchObject({ eventId: ID });
  });

  it('says what the limit is, and what came', () => {
    const message = 'user_id must have at most 128 bytes of UTF-8: it has 129';
    const received = `"${'x'.repeat(62)}…`;
    expect(accept(click({ userId: 'x'.repeat(129) }), TERMS)).toMatchObject({
      rejection: { eventId: ID, limit: '128 bytes', message, received },
    });
  });

  it.each([
    [NOW / 1000, 'looks like seconds, multiply by 1,000'],
    [NOW * 1000, 'looks like microseconds, divide by 1,000'],
    [NOW * 1e6, 'looks like nanoseconds, divide by 1,000,000'],
    [NOW + 2 * DAY, 'is 2026-01-04T00:00:00.000Z, in the future: check the clock of the sender'],
    [7, 'is 1970-01-01T00:00:00.007Z, too early: check its unit'],
    [-(2 ** 62), 'too early: check its unit'],
  ])('says of the time %d that it %s', (time, look) => {
    const limit = '[2000-01-01, now + 24 h] in milliseconds';
    const message = `timestamp must be in ${limit}: ${BigInt(time)} ${look}`;
    expect(accept(click({ timestamp: BigInt(time) }), TERMS)).toMatchObject({
      rejection: { limit, message, received: `${BigInt(time)}` },
    });
  });

  it('keeps what metadata can hold', () => {
    const metadata = { a: 'x', bad: '\0', long: 'y'.repeat(4096), b: 'z' };
    expect(stored(conversion({ metadata }))).toMatchObject({ metadata: { a: 'x', b: 'z' } });
    expect(Object.keys((stored(conversion({ metadata })) as { metadata: object }).metadata)).toEqual(['a', 'b']);
  });

  it('stores no currency', () => expect(stored(conversion({ currency: 'USD' }))).toMatchObject({ currency: '' }));

  it('names at most 32 of what it ignored, cut', () => {
    const outcome = accept(click({}), TERMS, ['n'.repeat(99), ...Object.keys(entries(40))]);
    expect(outcome).toMatchObject({
      ignored: expect.arrayContaining([`${'n'.repeat(63)}…`, 'k0', 'k1']),
      kind: 'accepted',
    });
    expect(outcome).toMatchObject({ ignored: { length: 32 } });
  });

  it('cuts an event_id that is longer than an id', () => {
    expect(accept(click({ eventId: 'x'.repeat(9999) }), TERMS)).toMatchObject({
      rejection: { eventId: 'x'.repeat(MAX_ID_BYTES) },
    });
  });

  it('does not store fields it does not know', () => {
    const unknown = Uint8Array.of(0xfa, 0x7f, 0x03, 1, 2, 3);
    const inside = fromBinary(ClickSchema, Buffer.concat([toBinary(ClickSchema, create(ClickSchema, CLICK)), unknown]));
    const around = fromBinary(EventSchema, Buffer.concat([toBinary(EventSchema, click(inside)), unknown]));
    expect(inside.$unknown).toHaveLength(1);
    expect(bytesOf(around)).toEqual(bytesOf(click({})));
    expect(accept(around, TERMS)).toMatchObject({ ignored: ['field 2047', 'field 2047'] });
  });

  it('takes an event case it does not know for an unknown event type', () => {
    const arm15 = Uint8Array.of(0x7a, 0x02, 0x0a, 0x00);
    expect(verdict(fromBinary(EventSchema, arm15))).toBe('event UNKNOWN_EVENT_TYPE');
  });
});

function bytesOf(event: Event): Uint8Array {
  const outcome = accept(event, TERMS);
  if (outcome.kind === 'rejected') throw new Error(outcome.rejection.message);
  return outcome.event.bytes;
}

function stored(event: Event) {
  return fromBinary(EventSchema, bytesOf(event)).event.value;
}

describe('accept, on anything', () => {
  const text = fc.oneof(
    { weight: 6, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }) },
    fc.string({ unit: 'binary', maxLength: 140 }),
    fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 4 }).map((units) => String.fromCharCode(...units)),
  );
  const eventId = fc.oneof({ weight: 8, arbitrary: fc.uuid() }, text);
  const timestamp = fc.oneof(
    { weight: 8, arbitrary: fc.bigInt(MIN - 1n, BigInt(NOW + DAY) + 1n) },
    fc.bigInt(-(1n << 63n), (1n << 63n) - 1n),
  );
  const metadata = fc.dictionary(text, text, { maxKeys: 34, noNullPrototype: true });
  const value = fc.oneof(fc.constant(0), fc.double(), fc.double({ min: 0, max: 1e12, noNaN: true }));
  const valueMicros = fc.oneof({ weight: 4, arbitrary: fc.constant(0n) }, fc.bigInt(-2n, 10n ** 18n + 2n));
  const anyClick = fc
    .record({ eventId, userId: text, adId: text, campaignId: text, source: text, timestamp, metadata })
    .map(click);
  const anyConversion = fc
    .record({ eventId, userId: text, type: text, source: text, timestamp, value, valueMicros, metadata })
    .map(conversion);

  const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
  const kind = fc.oneof({ weight: 9, arbitrary: fc.constantFrom('refund', 'restate', 'retract') }, text);
  const correction = { eventId, userId: text, timestamp, reason: fc.oneof(fc.constant(''), text) };
  const anyAdjustment = fc
    .record({ ...correction, conversionId: eventId, kind, value: maybe(value), valueMicros: maybe(valueMicros) })
    .map(adjustment);
  const anyVerdict = fc.record({ ...correction, clickId: eventId, valid: maybe(fc.boolean()) }).map(ofVerdict);

  it('never throws, and what it accepts keeps every limit and reads back', () => {
    const accepted: Record<string, number> = {};
    fc.assert(
      fc.property(fc.oneof(anyClick, anyConversion, anyAdjustment, anyVerdict), (event) => {
        const outcome = accept(event, TERMS);
        if (outcome.kind === 'rejected') return;
        accepted[event.event.case!] = (accepted[event.event.case!] ?? 0) + 1;
        const { bytes, userId } = outcome.event;
        const back = fromBinary(EventSchema, bytes);
        const sent = event.event.value!;
        expect(userId).toBe(sent.userId);
        expect(back.event.value).toMatchObject({
          eventId: storedEventId(sent.eventId),
          userId,
          timestamp: sent.timestamp,
        });
        expect(accept(withZero(back), TERMS)).toEqual({ ...outcome, ignored: [] });
        expectLimits(back);
      }),
      { numRuns: 5000 },
    );
    expect(Object.values(accepted).filter((count) => count > 100)).toHaveLength(4);
  });

  /** The log leaves out the micros of a refund or restate of 0. */
  function withZero(event: Event): Event {
    const { value } = event.event;
    if (value?.$typeName === 'clickmesh.v1.Adjustment' && value.kind !== 'retract') value.valueMicros ??= 0n;
    return event;
  }

  function expectLimits({ event }: Event): void {
    const texts = Object.values(event.value!).filter((field) => typeof field === 'string');
    for (const id of texts) expect(Buffer.byteLength(id)).toBeLessThanOrEqual(MAX_ID_BYTES);
    if (event.case === 'conversion') {
      expect(event.value.value).toBe(0);
      expect(event.value.valueMicros >= 0n && event.value.valueMicros <= 10n ** 18n).toBe(true);
    }
    const pairs = Object.entries((event.value as { metadata?: Record<string, string> }).metadata ?? {});
    expect(pairs.length).toBeLessThanOrEqual(32);
    expect(Buffer.byteLength(pairs.flat().join(''))).toBeLessThanOrEqual(4096);
  }
});
