import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type EventInput, memoryClient, Rejected } from 'clickmesh-client';

/** What programs in plain JavaScript hand over, and what becomes of it: no gateway is asked. */
const CLICK = { type: 'click', userId: 'u', adId: 'a', campaignId: 'c', source: 's' };
const ORDER = { event: 'conversion', userId: 'u', type: 'purchase', source: 's' };
const REFUND = { event: 'adjustment', kind: 'refund', conversionId: 'order-1', value: 5 };
const EDGE_MS = Date.UTC(2026, 10, 1, 5, 30);

const REJECTED: [name: string, event: unknown, field: string, message: RegExp][] = [
  ['NaN as a time', { ...CLICK, timestamp: Number.NaN }, 'timestamp', /milliseconds since 1970/],
  ['0 as a time', { ...CLICK, timestamp: 0 }, 'timestamp', /missing or 0/],
  ['a fraction of a ms', { ...CLICK, timestamp: EDGE_MS + 0.25 }, 'timestamp', /milliseconds/],
  ['a date that is none', { ...CLICK, timestamp: new Date('x') }, 'timestamp', /milliseconds/],
  ['a time without a zone', { ...CLICK, timestamp: '2026-11-01T05:30:00' }, 'timestamp', /with its zone such as/],
  ['February 30', { ...CLICK, timestamp: '2026-02-30T05:30:00Z' }, 'timestamp', /milliseconds/],
  ['seconds', { ...CLICK, timestamp: EDGE_MS / 1000 }, 'timestamp', /looks like seconds, multiply by 1,000/],
  ['a number that was rounded as an id', { ...CLICK, campaignId: 120212345678901234 }, 'campaign_id', /text/],
  ['an empty id', { ...CLICK, eventId: '' }, 'event_id', /required/],
  ['the contract’s spelling', { ...CLICK, campaign_id: 'c' }, 'campaign_id', /did you mean campaignId\?/],
  ['a sum under another name', { ...ORDER, revenue: 49.9 }, 'revenue', /did you mean value\?/],
  ['separators', { ...ORDER, value: '4,245.42' }, 'value', /without separators/],
  ['a boolean as a sum', { ...ORDER, value: true }, 'value', /a number/],
  ['a list as a sum', { ...ORDER, value: [5] }, 'value', /a number/],
  ['no text as a sum', { ...ORDER, value: '' }, 'value', /a number/],
  ['more than any sum, as text', { ...ORDER, value: '1000000000000.01' }, 'value', /\[0, 1e12\]/],
  ['a fraction of micros', { ...ORDER, valueMicros: 5.5 }, 'value_micros', /whole number/],
  ['micros beyond 64 bits', { ...ORDER, valueMicros: 2n ** 63n }, 'value_micros', /\[0, 1e18\]/],
  ['a sum and other micros', { ...ORDER, value: '5', valueMicros: 6_000_000n }, 'value_micros', /send one of them/],
  ['a refund of nothing', { ...REFUND, value: null }, 'value', /required for a refund/],
  ['no kind of event', { ...CLICK, type: undefined }, 'event', /none of click, conversion/],
  [
    'a getter that throws',
    Object.defineProperty({ ...CLICK }, 'adId', { get: broken, enumerable: true }),
    'event',
    /boo/,
  ],
];

function broken(): never {
  throw new Error('boo');
}

const KEPT: [name: string, event: unknown, kept: object][] = [
  ['a Date', { ...CLICK, timestamp: new Date(EDGE_MS) }, { timestamp: EDGE_MS }],
  ['a time with a zone', { ...CLICK, timestamp: '2026-11-01T01:30:00-04:00' }, { timestamp: EDGE_MS }],
  ['digits and bigints as times', { ...CLICK, timestamp: BigInt(EDGE_MS) }, { timestamp: EDGE_MS }],
  ['a sum as text, to the micro', { ...ORDER, value: '9007199254.740993' }, { valueMicros: '9007199254740993' }],
  ['half a micro, rounded up', { ...ORDER, value: '0.0000005' }, { valueMicros: '1' }],
  ['a number as a sum', { ...ORDER, value: 19.99 }, { value: 19.99 }],
  ['null as what is absent', { ...ORDER, value: null, currency: null }, { type: 'purchase' }],
  ['a conversion by its own type', { ...ORDER, event: undefined }, { event: 'conversion', type: 'purchase' }],
  ['a correction without its user', REFUND, { event: 'adjustment', kind: 'refund' }],
  [
    'numbers in metadata',
    { ...CLICK, metadata: { n: 5, ok: true, id: 2n ** 60n, a: { b: 1 }, none: undefined } },
    {
      metadata: { n: '5', ok: 'true', id: '1152921504606846976', a: '{"b":1}' },
    },
  ],
];

describe('is rejected with its field', () => {
  for (const [name, event, field, message] of REJECTED) {
    test(name, async () => {
      const client = memoryClient({ logger: null });
      const answers = [CLICK, event, CLICK].map((one) => client.track(one as EventInput));
      await assert.rejects(answers[1]!, (error) => {
        assert(error instanceof Rejected);
        assert.equal(error.field, field);
        assert.match(error.message, message);
        JSON.stringify(error);
        return true;
      });
      await client.close();
      assert.equal(client.events.length, 2);
    });
  }
});

describe('is kept', () => {
  for (const [name, event, kept] of KEPT) {
    test(name, async () => {
      const client = memoryClient();
      await client.send(event as EventInput);
      assert.partialDeepStrictEqual(JSON.parse(JSON.stringify(client.events[0])), kept);
    });
  }
});

test('what can’t be kept of metadata is named', async () => {
  const metadata = { gclid: null, half: 'x\ud83d', nul: '\0', self: undefined as unknown, geo: 'US' };
  metadata.self = metadata;
  const { ignored } = await memoryClient().send({ ...CLICK, metadata } as EventInput);
  assert.deepEqual(ignored, ['metadata.gclid', 'metadata.half', 'metadata.nul', 'metadata.self']);
});

test('the warnings of a client are one line in 10 s and one at its end, whatever its logger does', async () => {
  const lines: string[] = [];
  const logger = (line: string) => {
    lines.push(line);
    throw new Error('of the logger');
  };
  const client = memoryClient({ logger, onError: () => assert.fail('of onError') });
  for (let i = 0; i < 20; i++) client.track({ ...CLICK, userId: '' } as EventInput);
  assert.deepEqual(lines, ['clickmesh: 1 event rejected (user_id is required)']);
  await client.close();
  assert.equal(lines.length, 2);
  assert.match(lines[1]!, /^clickmesh: .*19 events rejected \(user_id is required\)/);
});
