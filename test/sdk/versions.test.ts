import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { afterAll, expect, test } from 'vitest';
import { ClickSchema, EventSchema } from '../../gen/ts/clickmesh/v1/event_pb.js';
import {
  IngestBatchRequestSchema,
  type IngestBatchResponse,
  IngestBatchResponseSchema,
  RejectReason,
} from '../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { audit } from '../../services/cli/audit.ts';
import { openEmbeddedLog } from '../../services/shared/log/embedded-log.ts';
import { startMeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';

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
    const stats = await fetch(`${mesh.url}/api/v1/stats?start_date=2026-01-05&end_date=2026-01-05`);
    expect(await stats.json()).toMatchObject({ data: [{ campaign_id: 'camp', clicks: 2 }] });
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
