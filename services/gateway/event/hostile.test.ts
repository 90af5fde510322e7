import { expect, it } from 'vitest';
import type { Outcome } from './accept.ts';
import { acceptJsonBody } from './accept-json.ts';

const NOW = Date.UTC(2026, 0, 2);
const TERMS = { now: NOW, currency: 'USD' };
const MEGABYTE = 1_000_000;
const CONVERSION = { event_type: 'conversion', event_id: 'order-1', user_id: 'u', type: 'purchase', source: 's' };

/** The outcome of a conversion with some more fields, given as JSON. */
function outcomeWith(fields: string): Outcome {
  const json = JSON.stringify({ ...CONVERSION, timestamp: NOW }).replace('}', `,${fields}}`);
  return acceptJsonBody(Buffer.from(json), TERMS)[0]!;
}

/** A megabyte of entries of an object. */
const entries = (value: string) => Array.from({ length: MEGABYTE / 12 }, (_, i) => `"k${i}":${value}`).join(',');
const digits = '1'.repeat(MEGABYTE);

// What took time by the square of a body's size would take minutes here.
it.each([
  ['unknown names', `"value":1,${entries('"a"')}`, 32],
  ['null in metadata', `"value":1,"metadata":{${entries('null')}}`, 32],
  ['entries of metadata', `"value":1,"metadata":{${entries('1')}}`, 32],
  ['digits under an unknown name', `"x":"${digits}x"`, 1],
])('a megabyte of %s is read in one go', (_, fields, ignored) => {
  expect(outcomeWith(fields)).toMatchObject({ kind: 'accepted', ignored: { length: ignored } });
});

it.each([
  ['value', `"${digits}x"`],
  ['value', digits],
  ['value_micros', digits],
  ['value_micros', `"${digits}"`],
  ['timestamp', digits],
])('a megabyte of digits for %s is told in a few words', (name, value) => {
  const outcome = outcomeWith(`"${name}":${value}`);
  if (outcome.kind === 'accepted') throw new Error('it was accepted');
  expect(outcome.rejection.field).toBe(name);
  expect(outcome.rejection.message.length).toBeLessThan(200);
});

it('the lines of a broken array are counted once', () => {
  const body = `[\n${'x,\n'.repeat(998)}${'\n'.repeat(MEGABYTE)}  "a\\\n,\n y]`;
  const outcomes = acceptJsonBody(Buffer.from(body), TERMS);
  const messages = outcomes.map((outcome) => (outcome.kind === 'rejected' ? outcome.rejection.message : 'accepted'));
  expect(messages[0]).toMatch(/ at line 2, column 1: /);
  expect(messages[997]).toMatch(/ at line 999, column 1: /);
  expect(messages[998]).toMatch(/ at line 1001000, column 3: /);
  expect(messages[999]).toMatch(/ at line 1001002, column 2: /);
});
