import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BLANKS, EVENT_RULES, NOBODY } from '../../gen/ts/src/event-rules.ts';
import { EVENT_TYPES, EVENTS } from '../../services/contract/event-rules.ts';
import { isNobody } from '../../services/contract/nobody.ts';

/** What a client that has the tables makes of a text. */
function isNobodyByTable(text: string): boolean {
  const isBlank = [...text].every((letter) => {
    const point = letter.codePointAt(0)!;
    return BLANKS.some(([first, last]) => point >= first && point <= last);
  });
  return isBlank || NOBODY.some((pattern) => pattern.test(text));
}

const NIL = '00000000-0000-0000-0000-000000000000';
const LOOKALIKES = [
  ...['undefined', 'Undefined', 'null', 'nil', '(null)', '[object Object]', '{{user.id}}', `$${'{id}'}`, '{id}', '{1}'],
  ...['<%= id\n %>', '%%ID%%', '%%', NIL, NIL.replaceAll('-', ''), `{${NIL}}`, `{${NIL}`, `URN:uuid:${NIL}`, '0000'],
  ...[' ', '\t', '\u200b', '\u2800', '\u3164', 'a\u200b', '😀', '0'],
];

test.each(LOOKALIKES)('clients take %j for an id as the gateway does', (text) => {
  expect(isNobodyByTable(text)).toBe(isNobody(text));
});

test('clients take any text for an id as the gateway does', () => {
  const text = fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }), fc.constantFrom(...LOOKALIKES));
  fc.assert(fc.property(text, (id) => isNobodyByTable(id) === isNobody(id)));
});

test('clients know every field', () => {
  const names = EVENT_TYPES.map((type) => EVENT_RULES[type].map(({ name }) => name));
  expect(names).toEqual(EVENT_TYPES.map((type) => EVENTS[type].fields.map(({ name }) => name)));
});
