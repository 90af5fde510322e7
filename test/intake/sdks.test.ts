import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import { fromBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IngestResultSchema } from '../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import type { NewRecord } from '../../services/log/event-log.ts';
import { LANGUAGES, type Language, VENV } from '../codegen/languages.ts';
import { startGateway, type TestGateway } from '../fixtures/gateway.ts';
import { type Case, readTable, type Verdict } from './table.ts';
import { eventMessage, typedEvent } from './typed-event.ts';
import { ofResult, storedFields } from './verdicts.ts';

/** Every SDK as it is sends the cases that typed values can have, one by one and as a batch. */
const SENDERS = 'test/intake/senders';
const maven = 'mvn -q -B -Dstyle.color=never -f gen/java/pom.xml';

const SDKS: { language: Language; build?: string; send: string }[] = [
  { language: LANGUAGES.typescript, build: 'node gen/ts/build.js', send: `node ${SENDERS}/send.mjs` },
  {
    language: LANGUAGES.python,
    build: `${VENV}/bin/python -m pip install --quiet gen/python`,
    send: `${VENV}/bin/python ${SENDERS}/send.py`,
  },
  { language: LANGUAGES.go, send: `cd gen/go && go run ../../${SENDERS}/send.go` },
  {
    language: LANGUAGES.java,
    build: `${maven} -DskipTests package dependency:build-classpath -Dmdep.outputFile=target/classpath`,
    send: `java -cp "gen/java/target/clickmesh-client-0.2.0.jar:$(cat gen/java/target/classpath)" ${SENDERS}/Send.java`,
  },
];

let gateway: TestGateway;
let appended: NewRecord[];

beforeAll(async () => {
  gateway = await startGateway();
  gateway.log.beforeAppend = (records) => void appended.push(...records);
});
afterAll(() => gateway.close());

/** Most entries of metadata. */
const MAX_ENTRIES = 32;
const table = readTable(join(import.meta.dirname, 'cases.txt'), Date.now()).filter(isTyped);

/**
 * Whether typed values can have it, and SDKs leave it as it is: what has no id or time is given them, and the maps of
 * some languages have no order, by which too many entries are left out.
 */
function isTyped(one: Case): boolean {
  const value = eventMessage(one)?.event.value;
  if (value === undefined) return false;
  const { metadata = {} } = value as { metadata?: Record<string, string> };
  return value.eventId !== '' && value.timestamp !== 0n && Object.keys(metadata).length <= MAX_ENTRIES;
}

for (const { language, build, send } of SDKS) {
  const tools = language.tools.filter((tool) => tool !== 'node');
  describe(language.name, { tags: tools.length > 0 ? [...tools, 'long'] : [] }, () => {
    beforeAll(async () => {
      language.installTools?.();
      if (build !== undefined) await shell(build);
    }, 300_000);

    test('has the outcomes of the table', async () => {
      appended = [];
      const lines = table.map((one) => typedEvent(one)!.toString('base64'));
      const results = (await shell(send, `${lines.join('\n')}\n`)).trim().split('\n');
      expect(results).toHaveLength(2 * table.length);
      const stored = appended.values();
      const verdicts = results.map((line) => verdictOf(line, stored));
      const differing = verdicts.flatMap((verdict, i) => {
        const { name, expected } = table[i % table.length]!;
        const wanted = expected.stored === undefined ? expected : { ...expected, stored: unordered(expected.stored) };
        return isDeepStrictEqual(verdict, wanted) ? [] : [{ name, verdict, wanted }];
      });
      expect(differing).toEqual([]);
    }, 120_000);
  });
}

/** What became of an event by its result; accepted ones are stored in their order. */
function verdictOf(line: string, stored: Iterator<NewRecord>): Verdict {
  const { companions: _, eventId, ...told } = ofResult(fromBinary(IngestResultSchema, Buffer.from(line, 'base64')));
  if (told.ignored === undefined) return told;
  const fields = storedFields(stored.next().value!.value);
  if (fields.event_id !== JSON.stringify(eventId)) return { failed: `accepted ${eventId}, stored ${fields.event_id}` };
  return { stored: unordered(fields), ...told };
}

/** With the keys of metadata in one order. */
function unordered(fields: Verdict['stored'] & object): Record<string, string> {
  if (fields.metadata === undefined) return fields;
  return { ...fields, metadata: JSON.stringify(Object.entries(JSON.parse(fields.metadata)).sort()) };
}

/** Runs a script and returns what it printed. Fails with its errors, unless it exits with 0. */
async function shell(script: string, input = ''): Promise<string> {
  const env = { ...process.env, CLICKMESH_URL: gateway.url };
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script], { env });
  child.stdin.end(input);
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect(code, `${errors}${output}`.slice(-10_000)).toBe(0);
  return output;
}
