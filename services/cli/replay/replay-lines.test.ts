import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { startGateway, type TestGateway } from '../../../test/fixtures/gateway.ts';
import { readNamesIgnored } from '../../contract/names-ignored.ts';
import { LogUnavailable } from '../../log/event-log.ts';
import { namesIgnored } from '../../telemetry/metrics.ts';
import { replay } from './replay.ts';

const CLICK = {
  event_type: 'click',
  event_id: '6f1b0e0a-1f7e-4a0e-9d0a-0a4c5cbb8a01',
  user_id: 'user-123',
  ad_id: 'ad-456',
  campaign_id: 'camp-789',
  source: 'facebook',
  timestamp: 1678886400000,
  metadata: { browser: 'Chrome' },
};
const CONVERSION = {
  event_type: 'conversion',
  event_id: '6f1b0e0a-1f7e-4a0e-9d0a-0a4c5cbb8a02',
  user_id: 'user-123',
  type: 'purchase',
  source: 'ios_app',
  value: 19.99,
  timestamp: 1678890000000,
};

/** In JSON an emoji may be two escapes. */
const ESCAPED_EMOJI = JSON.stringify({ ...CLICK, ad_id: '?' }).replace('?', '\\ud83c\\udfaf');

const click = (changes: object) => JSON.stringify({ ...CLICK, ...changes });
const conversion = (changes: object) => JSON.stringify({ ...CONVERSION, ...changes });

/** A line, and the reason and field of its rejection, or the names that are ignored; none if nothing is. */
const LINES: [name: string, line: string | Buffer, outcome?: string][] = [
  ['a click', click({})],
  ['a conversion', conversion({})],
  ['white space around it', ` \t${click({})} \r`],
  ['null for what is absent', click({ metadata: null })],
  ['an unknown field', click({ color: 'red' }), 'ignored color'],
  ['an emoji by escapes', ESCAPED_EMOJI],
  ['no JSON', '{"event_type":', 'malformed event'],
  ['a number', '7', 'malformed event'],
  ['a byte that is not UTF-8', Buffer.from(click({ ad_id: 'é' }), 'latin1'), 'malformed ad_id'],
  ['a byte order mark', `\ufeff${click({})}`],
  ['a space that JSON has not', '\u00a0', 'malformed event'],
  ['no type', click({ event_type: undefined }), 'required event_type'],
  ['an unknown type', click({ event_type: 'view' }), 'unknown_event_type event_type'],
  ['a type that every object has', click({ event_type: 'toString' }), 'unknown_event_type event_type'],
  ['a quoted integer', click({ timestamp: '1678886400000' })],
  ['a quoted number', conversion({ value: '19.99' })],
  ['names in camel case', click({ user_id: undefined, userId: 'user-123' })],
  ['a number for a text', click({ ad_id: 7 }), 'malformed ad_id'],
  ['an integer beyond 2^53', click({ timestamp: 2 ** 60 }), 'out_of_range timestamp'],
  ['an integer beyond 2^63', click({ timestamp: 2 ** 63 }), 'out_of_range timestamp'],
  ['micros beyond 2^63', conversion({ value: undefined, value_micros: 1e20 }), 'out_of_range value_micros'],
  ['a time before 2000', click({ timestamp: -1 }), 'out_of_range timestamp'],
  ['an event_id that is no UUID', click({ event_id: 'click-1' })],
  ['a long id', click({ source: 'x'.repeat(129) }), 'too_long source'],
  ['a NUL', click({ source: 'a\0b' }), 'malformed source'],
  ['half an emoji', click({ source: '\ud83c' }), 'malformed source'],
  ['half an emoji in metadata', click({ metadata: { a: '\udfaf', b: 'x' } }), 'ignored metadata.a'],
  ['a NUL in metadata', click({ metadata: { a: 'x\0', b: 'x' } }), 'ignored metadata.a'],
  [
    'bytes that are not UTF-8 in metadata',
    Buffer.from(click({ metadata: { a: 'é' } }), 'latin1'),
    'ignored metadata.a',
  ],
  ['null in metadata', click({ metadata: { a: null } }), 'ignored metadata.a'],
  ['a number that may be meant as the value', conversion({ value: undefined, revenue: 5 }), 'misnamed_value revenue'],
  ['both spellings of a name', click({ userId: 'x' }), 'contradiction user_id'],
  ['a value of another currency', conversion({ currency: 'JPY' }), 'other_currency currency'],
  ['half an emoji beside another currency', conversion({ currency: 'JPY', x: '\udfaf' }), 'other_currency currency'],
  ['a user who is nobody', click({ user_id: 'undefined' }), 'placeholder user_id'],
  ['half an emoji in a long id', click({ source: '\ud83c'.padEnd(129) }), 'malformed source'],
  ['half an emoji beside what comes first', click({ source: '\ud83c', user_id: '' }), 'required user_id'],
  ['half an emoji where nobody looks', click({ color: '\ud83c' }), 'ignored color'],
  ['both of value and value_micros', conversion({ value_micros: 1 }), 'contradiction value_micros'],
];

let gateway: TestGateway;
let folder: string;

beforeAll(async () => {
  gateway = await startGateway();
  folder = mkdtempSync(join(tmpdir(), 'clickmesh-lines-'));
});

afterAll(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true });
});

/** Why it was rejected, or the names that were ignored. */
type Answer = Record<'reason' | 'field' | 'message' | 'received', string> | { ignored: string[] };

async function posted(line: string | Buffer): Promise<Answer> {
  const headers = { 'content-type': 'application/x-ndjson' };
  const response = await fetch(`${gateway.url}/api/v1/events`, { method: 'POST', headers, body: Buffer.from(line) });
  const { results } = (await response.json()) as { results: Answer[] };
  return answer(results[0]!);
}

async function replayed(line: string | Buffer): Promise<Answer> {
  const file = join(folder, 'events.ndjson');
  writeFileSync(file, line);
  const options = { url: gateway.url, batch: 1, timeout: 10 };
  const summary = await replay(file, options, new AbortController().signal);
  const { accepted, rejected, stopped, rejects, ignored } = summary;
  expect([accepted + rejected, stopped]).toEqual([1, undefined]);
  return answer(
    accepted === 1 ? { ignored: [...ignored.keys()] } : JSON.parse(readFileSync(`${rejects}.reasons`, 'utf8')),
  );
}

function answer(result: Answer | Record<string, never>): Answer {
  if (!('reason' in result)) return { ignored: result.ignored ?? [] };
  const { reason, field, message, received } = result;
  return { reason, field, message, received };
}

test.each(LINES)(
  '%s: the same is said of it where it is posted and where it is replayed',
  async (_, line, outcome = 'ignored') => {
    const said = await posted(line);
    expect('reason' in said ? `${said.reason} ${said.field}` : `ignored ${said.ignored}`.trim()).toBe(outcome);
    expect(await replayed(line)).toEqual(said);
  },
);

test('blank lines are none, in both ways', async () => {
  const blank = ' \r\n\t\n\n';
  const body = `${blank}${click({})}\n${blank}`;
  expect(await posted(body)).toEqual({ ignored: [] });
  expect(await replayed(body)).toEqual({ ignored: [] });
});

test('what depends on the clock is for the mesh to judge', async () => {
  // The gateway keeps the clock that it was given.
  vi.useFakeTimers({ toFake: ['Date'], now: 0 });
  onTestFinished(() => void vi.useRealTimers());
  expect(await replayed(ESCAPED_EMOJI)).toEqual({ ignored: [] });
});

test('names that replay leaves out are counted by the mesh, too, once they are durable', async () => {
  const counted = vi.spyOn(namesIgnored, 'add');
  onTestFinished(() => void vi.restoreAllMocks());
  let failures = 0;
  gateway.log.beforeAppend = () => {
    if (failures++ === 0) throw new LogUnavailable('down');
  };
  const file = join(folder, 'names.ndjson');
  const lines = [click({ color: 'red', size: 7, metadata: { a: null } }), click({}), click({ color: 'blue' })];
  writeFileSync(file, lines.join('\n'));
  const summary = await replay(file, { url: gateway.url, batch: 10, timeout: 10 }, new AbortController().signal);
  expect([failures, summary.accepted]).toEqual([2, 3]);
  // Where nothing is measured all counters are one: that of the events comes first.
  expect(counted.mock.calls).toEqual([3, 4].map((count) => [count, { event_type: 'click' }]));
});

test('what a header says of names that is none of ours is passed over', () => {
  expect(readNamesIgnored('click=3, verdict=12')).toEqual([
    ['click', 3],
    ['verdict', 12],
  ]);
  for (const text of ['', 'click', 'click=-3', 'clicks=3', 'click=3.5', 'click=1e6', 'click=1000001', 'xclick=3']) {
    expect(readNamesIgnored(text), text).toEqual([]);
  }
});
