import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { clone, create, createFileRegistry, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import { type DescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { afterAll, expect, test } from 'vitest';
import { ClickSchema, EventSchema, file_clickmesh_v1_event } from '../../gen/ts/clickmesh/v1/event_pb.js';
import {
  file_clickmesh_v1_ingest_service,
  IngestBatchRequestSchema,
  type IngestBatchResponse,
  IngestBatchResponseSchema,
  RejectReason,
} from '../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { audit } from '../../services/cli/audit/audit.ts';
import { clickhouseClient } from '../../services/clickhouse/client.ts';
import { openEmbeddedLog } from '../../services/log/embedded/log.ts';
import { type MeshProcess, startMeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';

/** What proto/README.md promises where one side is newer than the other. */
const PARTITIONS = 8;
/** Field 2047 with three bytes, which no version knows. */
const NEW_FIELD = Uint8Array.of(0xfa, 0x7f, 0x03, 1, 2, 3);
/** An Event with arm 15: an event type of the future. */
const NEW_EVENT_TYPE = Uint8Array.of(0x7a, 0x02, 0x08, 0x01);

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

function clickOfTheFuture(userId: string): Uint8Array {
  const timestamp = BigInt(Date.UTC(2026, 0, 5));
  const fields = { eventId: randomUUID(), userId, adId: 'ad', campaignId: 'camp', source: 'web', timestamp };
  const click = Buffer.concat([toBinary(ClickSchema, create(ClickSchema, fields)), NEW_FIELD]);
  const event = create(EventSchema, { event: { case: 'click', value: fromBinary(ClickSchema, click) } });
  return Buffer.concat([toBinary(EventSchema, event), NEW_FIELD]);
}

async function ingestBatch(url: string, events: Uint8Array[]): Promise<IngestBatchResponse> {
  const request = create(IngestBatchRequestSchema, { events: events.map((bytes) => fromBinary(EventSchema, bytes)) });
  const response = await fetch(`${url}/clickmesh.v1.IngestService/IngestBatch`, {
    method: 'POST',
    headers: { 'content-type': 'application/proto' },
    body: new Uint8Array(toBinary(IngestBatchRequestSchema, request)),
  });
  expect(response.status).toBe(200);
  return fromBinary(IngestBatchResponseSchema, new Uint8Array(await response.arrayBuffer()));
}

/** The same in JSON, by Connect and by REST: which of the two events are accepted. */
async function ingestJson(url: string): Promise<boolean[]> {
  const ids = { ad_id: 'ad', campaign_id: 'camp', source: 'web', user_id: 'user' };
  const click = () => ({ event_id: randomUUID(), ...ids, timestamp: Date.UTC(2026, 0, 5), from_the_future: [1] });
  const post = async (path: string, body: unknown) => {
    const headers = { 'content-type': 'application/json' };
    return (await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })).json();
  };
  const connect = {
    events: [{ click: click(), from_the_future: 1 }, { event_of_the_future: { event_id: randomUUID() } }],
  };
  const byConnect = (await post('/clickmesh.v1.IngestService/IngestBatch', connect)) as { results: object[] };
  const rest = [
    { event_type: 'click', ...click() },
    { event_type: 'event_of_the_future', event_id: randomUUID() },
  ];
  const byRest = (await post('/api/v1/events', rest)) as { results: { status: string }[] };
  return [
    ...byConnect.results.map((result) => 'accepted' in result),
    ...byRest.results.map(({ status }) => status === 'accepted'),
  ];
}

/** What anyone can see of dead letters: how many attribution counts, and what ClickHouse says was wrong with them. */
async function deadLetters(mesh: MeshProcess): Promise<unknown[]> {
  const { clickhouse_url: url } = (await (await fetch(`${mesh.url}/status`)).json()) as { clickhouse_url: string };
  await using client = clickhouseClient(url);
  const result = await client.query({
    query: `SELECT toUInt32(sum(dead_lettered)) AS counted,
        (SELECT groupArray((error, toUInt32(_offset))) FROM ingest_errors FINAL WHERE topic = 'raw-events') AS errors
      FROM attribution_progress FINAL`,
    format: 'JSONEachRow',
  });
  return await result.json();
}

async function withLog<T>(
  dataDir: string,
  use: (log: Awaited<ReturnType<typeof openEmbeddedLog>>) => Promise<T>,
): Promise<T> {
  const limits = { retentionMs: 7 * 24 * 3_600_000, retentionBytes: 2 ** 30 };
  const log = await openEmbeddedLog({ dir: join(dataDir, 'log'), partitions: PARTITIONS, ...limits });
  try {
    return await use(log);
  } finally {
    await log.close();
  }
}

test('an older mesh takes what it knows, refuses or dead-letters what it does not, and loses nothing', async () => {
  const env = { PARTITIONS: String(PARTITIONS) };
  const dataDir = join(folder.path, 'data');

  // A newer client, an older gateway.
  const before = await startMeshProcess(dataDir, env);
  const { results } = await ingestBatch(before.url, [clickOfTheFuture('user'), NEW_EVENT_TYPE]);
  expect(results.map(({ result }) => result.case)).toEqual(['accepted', 'rejected']);
  expect(results[1]!.result.value).toMatchObject({ reason: RejectReason.UNKNOWN_EVENT_TYPE });
  expect(await ingestJson(before.url)).toEqual([true, false, true, false]);
  await before.stop();

  // A newer gateway, older attribution.
  const written = [clickOfTheFuture('user'), NEW_EVENT_TYPE];
  const records = written.map((value) => ({ topic: 'raw-events' as const, key: 'user', value }));
  const [first] = await withLog(dataDir, (log) => log.append(records));
  const { partition, offset } = first!;
  const mesh = await startMeshProcess(dataDir, env);
  try {
    const checks = await audit({ url: mesh.url, timeout: 60 });
    expect(checks.filter(({ differing }) => differing > 0)).toEqual([]);
    expect(await deadLetters(mesh)).toEqual([{ counted: 1, errors: [['unknown event type', offset + 1]] }]);
    const stats = await fetch(`${mesh.url}/api/v1/stats?start_date=2026-01-05&end_date=2026-01-05`);
    expect(await stats.json()).toMatchObject({ data: [{ campaign_id: 'camp', clicks: 4 }] });
  } finally {
    await mesh.stop();
  }

  const read = { maxBytes: 1 << 20, waitMs: 0 };
  const [kept, letters] = await withLog(dataDir, async (log) => [
    await log.read('raw-events', { partition, offset }, read),
    await log.read('raw-events.DLT', { partition, offset: 0 }, read),
  ]);
  expect(kept!.map(({ value }) => Buffer.from(value))).toEqual(written.map((value) => Buffer.from(value)));
  expect(letters).toHaveLength(1);
  expect(Buffer.from(letters![0]!.value)).toEqual(Buffer.from(NEW_EVENT_TYPE));
  expect(letters![0]!.headers).toMatchObject({
    'kafka_dlt-original-offset': String(offset + 1),
    'kafka_dlt-exception-message': 'unknown event type',
  });
}, 120_000);

/** The contracts before some of their fields and enum values were added. */
function olderContracts() {
  const files = [file_clickmesh_v1_event, file_clickmesh_v1_ingest_service].map(({ proto }) =>
    clone(FileDescriptorProtoSchema, proto),
  );
  // The rules say what is accepted, which is not for clients.
  for (const file of files) file.dependency = file.dependency.filter((path) => path !== 'clickmesh/v1/rules.proto');
  const without = (message: string, ...fields: string[]) => {
    const all: DescriptorProto[] = files.flatMap((file) => file.messageType);
    const found = all.find(({ name }) => name === message)!;
    found.field = found.field.filter(({ name }) => !fields.includes(name));
  };
  without('Click', 'metadata');
  without('Conversion', 'value_micros');
  without('Acceptance', 'partition', 'offset');
  without('IngestBatchResponse', 'rejected');
  const [reasons] = files[1]!.enumType;
  reasons!.value = reasons!.value.filter(({ name }) => name !== 'REJECT_REASON_UNKNOWN_EVENT_TYPE');
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: files }));
  return (name: string) => registry.getMessage(`clickmesh.v1.${name}`)!;
}

test('an older client is understood by a newer mesh, and reads what it knows of the answers', async () => {
  const older = olderContracts();
  const mesh = await startMeshProcess(join(folder.path, 'newer'), { PARTITIONS: String(PARTITIONS) });
  try {
    const ids = { eventId: randomUUID(), userId: 'user', adId: 'ad', campaignId: 'camp', source: 'web' };
    const click = create(older('Click'), { ...ids, timestamp: BigInt(Date.UTC(2026, 0, 5)) });
    const events = [{ event: { case: 'click', value: click } }, {}];
    const request = create(older('IngestBatchRequest'), { events });
    const response = await fetch(`${mesh.url}/clickmesh.v1.IngestService/IngestBatch`, {
      method: 'POST',
      headers: { 'content-type': 'application/proto' },
      body: new Uint8Array(toBinary(older('IngestBatchRequest'), request)),
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const answer = fromBinary(older('IngestBatchResponse'), bytes) as Message & Record<string, unknown>;
    expect(answer).toMatchObject({
      accepted: 1,
      results: [
        { result: { case: 'accepted', value: { eventId: ids.eventId } } },
        { result: { case: 'rejected', value: { field: 'event', reason: RejectReason.UNKNOWN_EVENT_TYPE } } },
      ],
    });
    expect(answer.$unknown).toHaveLength(1);
  } finally {
    await mesh.stop();
  }
}, 60_000);
