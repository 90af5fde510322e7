import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EVENT_ID_NAMESPACE, storedEventId } from './event-id.ts';
import { isNobody, isNobodyAt } from './nobody.ts';

const UUID = '0b0b0b0b-0000-4000-8000-0000000000ff';

test.each([
  UUID,
  UUID.toUpperCase(),
  UUID.replaceAll('-', ''),
  `{${UUID}}`,
  `{${UUID.replaceAll('-', '').toUpperCase()}}`,
  `urn:uuid:${UUID}`,
  `URN:UUID:${UUID}`,
])('%s is a spelling of a UUID', (id) => expect(storedEventId(id)).toBe(UUID));

// Of Python: uuid.uuid5(uuid.UUID(EVENT_ID_NAMESPACE), text).
test.each([
  ['order-1001', 'd9f4ac00-73dd-5950-9359-bd43b480c350'],
  ['01ARZ3NDEKTSV4RRFFQ69G5FAV', '814a7a5f-2060-558e-9b2a-b5c0237b8056'],
  ['é', 'f1d56f60-6be9-56b3-b048-aacf22692461'],
])('%s is stored as its UUIDv5', (id, uuid) => expect(storedEventId(id)).toBe(uuid));

test.each([`${UUID}0`, `{${UUID}`, `${UUID}}`, ` ${UUID}`, `${UUID}\n`, UUID.replace('-', ''), 'x'.repeat(32)])(
  '%j is no spelling of a UUID',
  (id) => {
    expect(storedEventId(id)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(storedEventId(id)).not.toBe(UUID);
  },
);

test('any two texts are two ids', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
      const digest = createHash('sha1')
        .update(Buffer.from(EVENT_ID_NAMESPACE.replaceAll('-', ''), 'hex'))
        .update(text);
      expect(storedEventId(text).slice(0, 8)).toBe(digest.digest('hex').slice(0, 8));
    }),
  );
});

const NOBODIES = [
  ...['undefined', 'null', 'NULL', 'nil', 'NaN', 'None', '(null)', '<null>', '[object Object]', '[object Undefined]'],
  ...['{{user.id}}', '{{ id }}', `\${id}`, '{user_id}', '{lpurl.x}', '<%= id %>', '%%GAID%%'],
  ...[' ', '\t', '\u00a0', '\u200b', '\u2060 \u3000', '   \n', '\ufeff', '\u00ad', '\u2800', '\u{e0020}'],
  ...['00000000-0000-0000-0000-000000000000', '0'.repeat(32), `{${'0'.repeat(32)}}`, `urn:uuid:${'0'.repeat(32)}`],
];
const SOMEBODIES = [
  ...['0', '-', 'anonymous', 'nobody', 'nullify', 'Nan', 'none', 'NONE', 'undefined1', 'user-123', 'ünal', '東京'],
  ...[`{${UUID}}`, '{1}', '$5', '[x]', '%41', 'a b', '\u200bx', '0'.repeat(31), '😀', '00'],
];

test.each(NOBODIES)('%j is nobody', (id) => expect(isNobody(id)).toBe(true));
test.each(SOMEBODIES)('%j is somebody', (id) => expect(isNobody(id)).toBe(false));

test('in bytes it is seen the same', () => {
  const part = fc.oneof(fc.constantFrom(...NOBODIES, ...SOMEBODIES), fc.string({ unit: 'binary', maxLength: 3 }));
  const text = fc.tuple(part, fc.option(part)).map(([one, two]) => one + (two ?? ''));
  fc.assert(
    fc.property(text, (id) => {
      const bytes = Buffer.from(id.toWellFormed());
      if (bytes.length > 0) expect(isNobodyAt(bytes, 0, bytes.length)).toBe(isNobody(id.toWellFormed()));
    }),
    { numRuns: 5000 },
  );
});
