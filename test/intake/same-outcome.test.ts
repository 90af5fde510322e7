import fc from 'fast-check';
import { afterAll, beforeAll, expect } from 'vitest';
import { temporaryFolder } from '../fixtures/mesh-process.ts';
import { testRuns } from '../fixtures/test-runs.ts';
import { type Member, objectOf, type Verdict } from './table.ts';
import { type OpenWays, openWays, verdictsOf } from './ways.ts';

const folder = temporaryFolder();
let open: OpenWays;

beforeAll(async () => {
  open = await openWays(folder.path);
});
afterAll(async () => {
  await open.close();
  folder[Symbol.dispose]();
});

const KNOWN = [
  ...['event_id', 'user_id', 'ad_id', 'campaign_id', 'source', 'timestamp', 'metadata', 'type', 'value'],
  ...['value_micros', 'currency', 'eventId', 'userId', 'adId', 'campaignId', 'valueMicros'],
  ...['conversion_id', 'click_id', 'kind', 'valid', 'reason', 'conversionId', 'clickId'],
];

/** JSON as it stands in a body, a character for each byte. */
const raw = (json: string): string => Buffer.from(json).toString('latin1');

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }).map((some) => raw(JSON.stringify(some))),
  fc.uuid().map((id) => `"${id}"`),
  fc.constantFrom('""', '" "', '"undefined"', '"[object Object]"', '"{{id}}"', '"\\u0000"', '"\\ud83d"', '"\\u200b"'),
  fc.constantFrom(
    '"Ren\xe9"',
    '"\xed\xa0\xbd"',
    '"\\ud83d\\ude00"',
    '"USD"',
    '"EUR"',
    '"order-1"',
    '"refund"',
    '"restate"',
    '"retract"',
    `"${'x'.repeat(129)}"`,
  ),
  fc.constantFrom('"19.99"', '" 5"', '"0x10"', '"1e3"', '"1678886400000"', '"2023-03-15T13:20:00Z"', '"4,5"', '"+5"'),
);
const number = fc.oneof(
  fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((some) => JSON.stringify(some)),
  fc.constantFrom('0', '-0', '5.0', '1e3', '1E+3', '1e400', '-1e-400', '0.1e-7', '1678886400', '1678886400000'),
  fc.constantFrom('1678886400000.5', '9007199254740993', '1000000000000000000', '1000000000000000001', '19.99'),
);
const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    text,
    number,
    fc.constantFrom('null', 'true', 'false', '[]', '{}'),
    fc.array(tie('json'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    fc
      .array(fc.tuple(text, tie('json')), { maxLength: 3 })
      .map((some) => `{${some.map((pair) => pair.join(' : ')).join()}}`),
  ),
}));
const name = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...KNOWN) },
  fc.constantFrom('revenue', 'amount', 'Value', 'value ', 'properties', '__proto__', 'constructor', 'toString', ''),
  fc.string({ maxLength: 5 }).map((some) => raw(JSON.stringify(some))),
);
const member: fc.Arbitrary<Member> = fc.record({ name, value: json });

/** Good members, so that many a change is the only fault. */
const GOOD: Readonly<Record<string, readonly Member[]>> = {
  click: [
    { name: 'event_type', value: '"click"' },
    { name: 'event_id', value: '"6f1b0e0a-1f7e-4a0e-9d0a-0a4c5cbb8a01"' },
    { name: 'user_id', value: '"user-123"' },
    { name: 'ad_id', value: '"ad-456"' },
    { name: 'campaign_id', value: '"camp-789"' },
    { name: 'source', value: '"facebook"' },
    { name: 'timestamp', value: '1678886400000' },
  ],
  conversion: [
    { name: 'event_type', value: '"conversion"' },
    { name: 'event_id', value: '"6f1b0e0a-1f7e-4a0e-9d0a-0a4c5cbb8a02"' },
    { name: 'user_id', value: '"user-123"' },
    { name: 'type', value: '"purchase"' },
    { name: 'source', value: '"ios_app"' },
    { name: 'timestamp', value: '1678890000000' },
  ],
  adjustment: [
    { name: 'event_type', value: '"adjustment"' },
    { name: 'event_id', value: '"6f1b0e0a-1f7e-4a0e-9d0a-0a4c5cbb8a03"' },
    { name: 'user_id', value: '"user-123"' },
    { name: 'conversion_id', value: '"order-1001"' },
    { name: 'kind', value: '"refund"' },
    { name: 'value', value: '5' },
    { name: 'timestamp', value: '1678976400000' },
  ],
  verdict: [
    { name: 'event_type', value: '"verdict"' },
    { name: 'event_id', value: '"6f1b0e0a-1f7e-4a0e-9d0a-0a4c5cbb8a04"' },
    { name: 'user_id', value: '"user-123"' },
    { name: 'click_id', value: '"6f1b0e0a-1f7e-4a0e-9d0a-0a4c5cbb8a01"' },
    { name: 'valid', value: 'false' },
    { name: 'timestamp', value: '1678976400000' },
  ],
};

const event = fc
  .record({
    type: fc.constantFrom(...Object.keys(GOOD)),
    gone: fc.array(fc.constantFrom(...KNOWN), { maxLength: 1 }),
    changes: fc.array(member, { maxLength: 3 }),
    isTwice: fc.integer({ max: 9, min: 0 }).map((tenth) => tenth === 0),
  })
  .map(({ type, gone, changes, isTwice }) => {
    const replaced = isTwice ? gone : [...gone, ...changes.map((change) => change.name)];
    return [...GOOD[type]!.filter((good) => !replaced.includes(good.name)), ...changes];
  });

/** The ways by what became of the event; one that does not tell what was ignored is counted with those that do. */
function byVerdict(verdicts: Readonly<Record<string, Verdict>>): Record<string, string> {
  const told = Object.values(verdicts).find(({ ignored }) => ignored !== undefined)?.ignored;
  const byText: Record<string, string> = {};
  for (const [way, { ignored, ...others }] of Object.entries(verdicts)) {
    // Replay prints names as a terminal can show them.
    const names = (ignored ?? told)?.map((name) => name.replace(/\p{C}/gu, '?'));
    const verdict = JSON.stringify({ ...others, ignored: others.stored && names });
    byText[verdict] = byText[verdict] === undefined ? way : `${byText[verdict]}, ${way}`;
  }
  return byText;
}

testRuns('whatever JSON an event is, it has one outcome by all ways', 1600, async (numRuns) => {
  const seen = { accepted: new Set<string>(), ignored: 0, reasons: new Set<string>() };
  await fc.assert(
    fc.asyncProperty(event, async (members) => {
      const verdicts = await verdictsOf({ form: 'event', members, text: objectOf(members) }, open.ways, open.gateway);
      const { stored, ignored, rejected } = verdicts['REST NDJSON']!;
      if (stored !== undefined) seen.accepted.add(stored.kind ?? stored.valid ?? stored.type ?? 'click');
      if (ignored !== undefined && ignored.length > 0) seen.ignored++;
      if (rejected !== undefined) seen.reasons.add(rejected.split(' ')[1]!);
      const outcomes = byVerdict(verdicts);
      if (Object.keys(outcomes).length > 1) expect(outcomes).toEqual('one outcome');
    }),
    { numRuns },
  );
  expect([...seen.accepted]).toEqual(expect.arrayContaining(['click', '"purchase"', '"refund"', 'false']));
  expect(seen.ignored).toBeGreaterThan(numRuns / 80);
  expect(seen.reasons.size).toBeGreaterThan(4);
});
