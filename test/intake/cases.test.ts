import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clickmesh, temporaryFolder } from '../fixtures/mesh-process.ts';
import { readTable, type Verdict } from './table.ts';
import { storedFields, unplaced } from './verdicts.ts';
import { isForReplay, type OpenWays, openWays, readReasons, verdictsOf } from './ways.ts';

const folder = temporaryFolder();
let open: OpenWays;

beforeAll(async () => {
  open = await openWays(folder.path);
});
afterAll(async () => {
  await open.close();
  folder[Symbol.dispose]();
});

/** What a way should tell that does not say of each event which names it ignored. */
function asToldBy({ ignored }: Verdict, expected: Verdict): Verdict {
  const { ignored: _, ...others } = expected;
  return ignored === undefined ? others : expected;
}

const table = readTable(join(import.meta.dirname, 'cases.txt'), Date.now());

test.each(table.map((one) => [one.name, one] as const))('%s', async (_, { expected, ...sent }) => {
  const verdicts = Object.entries(await verdictsOf(sent, open.ways, open.gateway));
  expect(verdicts).not.toEqual([]);
  const differing = verdicts.filter(([, verdict]) => !isDeepStrictEqual(verdict, asToldBy(verdict, expected)));
  expect(Object.fromEntries(differing), `not ${JSON.stringify(expected)}`).toEqual({});
});

test('replay from stdin: all of them, in one run', async () => {
  const sent = table.filter(isForReplay);
  const stored: Record<string, string>[] = [];
  const { gateway } = open;
  gateway.log.beforeAppend = (records) => void stored.push(...records.map(({ value }) => storedFields(value)));
  const rejects = join(folder.path, 'rejects');
  const input = Buffer.from(sent.map(({ text }) => `${text}\n`).join(''), 'latin1');
  const { code, stderr } = await clickmesh(['replay', '-', '--url', gateway.url, '--rejects', rejects], { input });
  expect(code, stderr).toBe(2);
  const rejected = sent.flatMap(({ expected }, i) =>
    expected.rejected === undefined ? [] : [[i + 1, expected] as const],
  );
  const told = [...readReasons(`${rejects}-1`)].map(([line, verdict]) => [line, unplaced(verdict)] as const);
  expect(new Map(told)).toEqual(new Map(rejected));
  const accepted = sent.flatMap(({ expected }) => (expected.stored === undefined ? [] : [expected.stored]));
  expect(stored.map(sorted).sort()).toEqual(accepted.map(sorted).sort());
});

function sorted(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields).sort().join();
}
