import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { create, createFileRegistry, type DescMessage, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { encodeEvent, findFields, scanEvent } from '../../gen/wire/event-wire.ts';
import type { EventShape } from '../../services/contract/event-rules.ts';
import { temporaryFolder } from '../fixtures/mesh-process.ts';
import { eventShapes } from './event-shapes.ts';
import { wireCode } from './wire-code.ts';

/** Every kind of rule, required and not, the stored number not at the end, and a second case. */
const PROTO = `syntax = "proto3";
package clickmesh.v1;
import "clickmesh/v1/rules.proto";
message Whole {
  option (event).role = ROLE_OUTCOME;
  string event_id = 1 [(rule) = {required: true, uuid: {}}];
  string user_id = 2 [(rule) = {required: true, text: {max_bytes: 128}}];
  string note = 3 [(rule) = {text: {max_bytes: 64}}];
  double score = 4 [(rule) = {number: {max: 100}}];
  double price = 5 [(rule) = {number: {max: 1000000, stored_in: "price_micros"}}];
  int64 price_micros = 6 [(rule) = {integer: {max: 1000000000000}}];
  int64 timestamp = 7 [(rule) = {required: true, time: {min_ms: 1000, max_ahead_ms: 5000}}];
  uint32 count = 8 [(rule) = {integer: {max: 7}}];
  map<string, string> labels = 9 [(rule) = {map: {max_entries: 3, max_bytes: 100}}];
  string last = 15 [(rule) = {text: {max_bytes: 128}}];
}
message Seldom {
  option (event).role = ROLE_VERDICT;
  string event_id = 1 [(rule) = {required: true, uuid: {}}];
  string user_id = 2 [(rule) = {required: true, text: {max_bytes: 128}}];
  string kind = 3 [(rule) = {required: true, choice: {values: ["a", "bc"]}}];
  optional bool yes = 4 [(rule) = {required: true, flag: {}}];
}
message Bare {
  option (event).role = ROLE_TOUCH;
  string event_id = 1 [(rule) = {required: true, uuid: {}}];
  string user_id = 2 [(rule) = {required: true, text: {max_bytes: 128}}];
}
message Event {
  oneof event {
    Whole whole = 1;
    Seldom seldom = 14;
    Bare bare = 15;
  }
}
`;
const NOW = 1_000_000;
const folder = temporaryFolder();
let event: DescMessage;
let shapes: EventShape[];
let wire: { scanEvent: typeof scanEvent; findFields: typeof findFields; encodeEvent: typeof encodeEvent };

beforeAll(async () => {
  const proto = join(folder.path, 'clickmesh/v1/event.proto');
  mkdirSync(dirname(proto), { recursive: true });
  cpSync('proto/clickmesh/v1/rules.proto', join(dirname(proto), 'rules.proto'));
  writeFileSync(proto, PROTO);
  const image = join(folder.path, 'image.binpb');
  execFileSync('buf', ['build', folder.path, '--as-file-descriptor-set', '--output', image]);
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(image)));
  event = registry.getMessage('clickmesh.v1.Event')!;
  shapes = eventShapes(registry);
  const code = join(folder.path, 'event-wire.ts');
  writeFileSync(code, wireCode(shapes).replaceAll("'../../services", `'${pathToFileURL(resolve('services'))}`));
  wire = await import(pathToFileURL(code).href);
});
afterAll(() => folder[Symbol.dispose]());

const ascii = fc.string({ unit: 'grapheme-ascii', maxLength: 20 });
const whole = fc.record(
  {
    eventId: fc.uuid(),
    userId: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
    note: ascii,
    score: fc.double({ min: 0, max: 100, noNaN: true }),
    price: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1_000_000, noNaN: true })),
    priceMicros: fc.oneof(fc.constant(0n), fc.bigInt({ min: 1n, max: 10n ** 12n })),
    timestamp: fc.bigInt({ min: 1000n, max: BigInt(NOW + 5000) }),
    count: fc.nat(7),
    labels: fc.dictionary(fc.string({ unit: fc.constantFrom('a', 'b', 'é'), minLength: 1, maxLength: 3 }), ascii, {
      maxKeys: 3,
    }),
    last: ascii,
  },
  { requiredKeys: ['eventId', 'userId', 'timestamp'] },
);

function eventOf(type: string, value: Record<string, unknown>) {
  const { message } = shapes.find((shape) => shape.type === type)!;
  return create(event, { event: { case: type, value: create(message, value) } });
}

function bytesOf(type: string, value: Record<string, unknown>): Buffer {
  return Buffer.from(toBinary(event, eventOf(type, value)));
}

test('a scanned event is the one that was sent, its number stored as micros', () => {
  let scanned = 0;
  fc.assert(
    fc.property(whole, (value) => {
      const bytes = bytesOf('whole', value);
      const accepted = wire.scanEvent(bytes, 0, bytes.length, NOW);
      if (accepted === undefined) return;
      scanned++;
      const { price = 0, priceMicros = 0n, ...rest } = value;
      const micros = priceMicros + BigInt(price.toFixed(6).replace('.', ''));
      expect(fromBinary(event, accepted.bytes)).toEqual(eventOf('whole', { ...rest, priceMicros: micros }));
      expect(accepted).toMatchObject({ eventId: value.eventId, eventType: 'whole', userId: value.userId });
    }),
    { numRuns: 2000 },
  );
  expect(scanned).toBeGreaterThan(500);
});

test.each([
  ['a time too early', { timestamp: 999n }],
  ['a time too far ahead', { timestamp: BigInt(NOW + 5001) }],
  ['an integer too large', { count: 8 }],
  ['a number too large', { score: 100.1 }],
  ['a negative number', { score: -1 }],
  ['both numbers', { price: 1, priceMicros: 1_000_000n }],
  ['too many entries', { labels: { a: '', b: '', c: '', d: '' } }],
  ['entries too long', { labels: { a: 'x'.repeat(100) } }],
  ['NUL in an optional text', { note: '\0' }],
  ['no user', { userId: '' }],
  ['an id that is no UUID', { eventId: 'x'.repeat(36) }],
])('an event with %s is not scanned', (_, change) => {
  const value = { eventId: '0b0b0b0b-0000-4000-8000-0000000000ff', userId: 'u', timestamp: 2000n };
  const good = bytesOf('whole', value);
  expect(wire.scanEvent(good, 0, good.length, NOW)).toBeDefined();
  const bytes = bytesOf('whole', { ...value, ...change });
  expect(wire.scanEvent(bytes, 0, bytes.length, NOW)).toBeUndefined();
});

test('an event is written as toBinary writes it, its number as micros', () => {
  fc.assert(
    fc.property(whole, fc.bigInt({ min: 0n, max: 10n ** 12n }), ({ price, ...value }, micros) => {
      const message = eventOf('whole', value) as unknown as { event: { value: Parameters<typeof encodeEvent>[0] } };
      const expected = bytesOf('whole', { ...value, priceMicros: micros });
      expect(wire.encodeEvent(message.event.value, value.eventId, micros).equals(expected)).toBe(true);
    }),
  );
});

test('the fields of a record are found where they are', () => {
  fc.assert(
    fc.property(whole, (value) => {
      const { price, ...stored } = { note: '', last: '', score: 0, count: 0, priceMicros: 0n, ...value };
      const bytes = bytesOf('whole', stored);
      const found = wire.findFields(bytes, 0, bytes.length) as unknown as Record<string, number> | undefined;
      const isAscii = Buffer.byteLength(stored.userId) === stored.userId.length;
      expect(found !== undefined, JSON.stringify(stored.userId)).toBe(isAscii);
      if (found === undefined) return;
      const text = (name: string) => bytes.toString('utf8', found[name], found[`${name}End`]);
      expect([text('userId'), text('note'), text('last')]).toEqual([stored.userId, stored.note, stored.last]);
      expect(found).toMatchObject({
        timestamp: Number(stored.timestamp),
        priceMicros: Number(stored.priceMicros),
        score: stored.score,
        count: stored.count,
      });
    }),
    { numRuns: 2000 },
  );
});

test('another case is known by its tag', () => {
  const value = { eventId: '0b0b0b0b-0000-4000-8000-0000000000ff', userId: 'ann' };
  const bytes = bytesOf('bare', value);
  expect(wire.scanEvent(bytes, 0, bytes.length, NOW)).toMatchObject({ eventType: 'bare', userId: 'ann' });
  expect(wire.findFields(bytes, 0, bytes.length)?.kind).toBe('bare');
  const message = eventOf('bare', value) as unknown as { event: { value: Parameters<typeof encodeEvent>[0] } };
  expect(wire.encodeEvent(message.event.value, value.eventId, 0n).equals(bytes)).toBe(true);
});

test('an event of a type that is sent seldom is only written', () => {
  const ids = { eventId: '0b0b0b0b-0000-4000-8000-0000000000ff', userId: 'ann', kind: 'bc' };
  for (const yes of [true, false]) {
    const bytes = bytesOf('seldom', { ...ids, yes });
    expect(wire.scanEvent(bytes, 0, bytes.length, NOW)).toBeUndefined();
    expect(wire.findFields(bytes, 0, bytes.length)).toBeUndefined();
    const message = eventOf('seldom', { ...ids, yes }) as unknown as {
      event: { value: Parameters<typeof encodeEvent>[0] };
    };
    expect(wire.encodeEvent(message.event.value, ids.eventId, 0n).equals(bytes)).toBe(true);
  }
});

test('a field whose tag takes two bytes is refused', () => {
  const [whole, , bare] = shapes as [EventShape, EventShape, EventShape];
  expect(() => wireCode([whole, { ...bare, number: 16 }])).toThrow('a field of an event has number 16');
});

test('a rule that no event has needed yet is refused', () => {
  const [{ fields }] = shapes as [EventShape];
  const required = fields.map((field) => ({ ...field, required: true }));
  expect(() => wireCode([{ ...shapes[0]!, fields: required }])).toThrow(
    "score: a field of kind number can't be required",
  );
  const optional = fields.map((field) => ({ ...field, optional: field.name === 'count' }));
  expect(() => wireCode([{ ...shapes[0]!, fields: optional }])).toThrow("count: the field can't be optional");
});
