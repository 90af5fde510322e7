import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, type ServiceImpl } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Event } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import {
  type IngestBatchRequest,
  IngestResultSchema,
  IngestService,
  RejectReason,
} from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { generateEvents, type SeedEvent } from '../generate/journeys.ts';
import { type ReplayOptions, replay } from './replay.ts';

const EVENTS = [
  ...generateEvents({
    ...{ events: 2000, users: 50, campaigns: 5, seed: 1, end: '2025-12-31', days: 1 },
    ...{ conversionRate: 0.1, duplicates: 0, late: 0, disorderMs: 0 },
  }),
];

let folder: string;
let server: Server;
let received: Event[];
/** Called with every batch before it is taken; may throw. */
let onBatch: (request: IngestBatchRequest) => void | Promise<void>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'clickmesh-replay-'));
  received = [];
  onBatch = () => {};
  server = await listen(0);
});

afterEach(async () => {
  await close(server);
  rmSync(folder, { recursive: true });
});

test('every event arrives, and those of one user in their order', async () => {
  const summary = await replay(file(EVENTS), options({ batch: 7 }), never());
  expect(summary).toMatchObject({ sent: 2000, accepted: 2000, rejected: 0 });
  expect(idsByUser(received.map(flat))).toEqual(idsByUser(EVENTS));
});

test('fields arrive as they are in the file', async () => {
  const [click, conversion] = [EVENTS.find(isClick)!, EVENTS.find((event) => !isClick(event))!];
  await replay(file([click, conversion]), options(), never());
  for (const { event_type: type, ...fields } of [click, conversion]) {
    const { $typeName, ...value } = received.find(({ event }) => event.case === type)!.event.value!;
    const names = Object.fromEntries(Object.entries(value).map(([name, field]) => [snakeCase(name), field]));
    expect(names).toMatchObject({ ...fields, timestamp: BigInt(fields.timestamp) });
  }
});

test('gzip is known by its first bytes, also when it has several members', async () => {
  const path = join(folder, 'events.dat');
  const halves = [EVENTS.slice(0, 1000), EVENTS.slice(1000)];
  writeFileSync(path, Buffer.concat(halves.map((half) => gzipSync(ndjson(half)))));
  expect(await replay(path, options(), never())).toMatchObject({ accepted: 2000 });
});

test('a truncated gzip file ends with an error, after what could be read', async () => {
  const path = join(folder, 'events.gz');
  const whole = gzipSync(ndjson(EVENTS));
  writeFileSync(path, whole.subarray(0, whole.length / 2));
  const summary = await replay(path, options({ batch: 10 }), never());
  expect(summary.stopped).toBeInstanceOf(Error);
  expect(summary.accepted).toBeGreaterThan(0);
});

test('what the mesh rejects and what can not be read goes to the rejects file', async () => {
  const lines = ndjson(EVENTS.slice(0, 3)).split('\n');
  const bad = JSON.stringify({ ...EVENTS[3], user_id: 'rejected' });
  const path = join(folder, 'events.ndjson');
  const unreadable = ['{"event_type":"view"}', '{"event_type":', '[]', '"x'.padEnd(2 ** 20 + 1), bad];
  writeFileSync(path, [...lines, ...unreadable].join('\n'));
  const rejects = join(folder, 'rejects');
  const summary = await replay(path, options({ rejects }), never());
  expect(summary).toMatchObject({ sent: 4, accepted: 3, rejected: 5, stopped: undefined });
  const written = readFileSync(rejects, 'utf8').trim().split('\n');
  expect(written.map((text) => JSON.parse(text)).sort((a, b) => a.line - b.line)).toMatchObject([
    { line: 5, reason: 'unknown_event_type', input: unreadable[0] },
    { line: 6, reason: 'malformed', input: unreadable[1] },
    { line: 7, reason: 'malformed', input: unreadable[2] },
    { line: 8, reason: 'too_long' },
    { line: 9, reason: 'too_long', field: 'user_id', input: bad },
  ]);
});

test('no rejects file without rejects', async () => {
  const rejects = join(folder, 'rejects');
  await replay(file(EVENTS.slice(0, 3)), options({ rejects }), never());
  expect(() => readFileSync(rejects)).toThrow('ENOENT');
});

test('a batch never holds more than a request may', async () => {
  const sizes: number[] = [];
  onBatch = ({ events }) => void sizes.push(events.reduce((sum, event) => sum + metadataBytes(event), 0));
  const large = EVENTS.map((event) => (isClick(event) ? { ...event, metadata: { note: 'x'.repeat(4000) } } : event));
  expect(await replay(file(large), options({ batch: 1000 }), never())).toMatchObject({ accepted: 2000 });
  expect(Math.max(...sizes)).toBeLessThan(2 ** 20);
});

test.each([Code.Unavailable, Code.ResourceExhausted])('goes on after the mesh answered with code %i', async (code) => {
  let failures = 6;
  onBatch = () => {
    if (failures-- > 0) throw new ConnectError('not now', code);
  };
  expect(await replay(file(EVENTS), options(), never())).toMatchObject({ accepted: 2000, stopped: undefined });
  expect(new Set(received.map((event) => flat(event).event_id)).size).toBe(2000);
});

test('goes on after the mesh was gone and came back', async () => {
  const { port } = server.address() as AddressInfo;
  let restarted: Promise<void> | undefined;
  onBatch = () => {
    restarted ??= (async () => {
      await close(server);
      server = await listen(port);
    })();
  };
  const summary = await replay(file(EVENTS), options({ batch: 100 }), never());
  await restarted;
  expect(summary).toMatchObject({ accepted: 2000, stopped: undefined });
});

test('gives up when the mesh is gone for longer than the timeout', async () => {
  const gone = options({ timeout: 0 });
  await close(server);
  const summary = await replay(file(EVENTS), gone, never());
  expect(summary).toMatchObject({ sent: 0, stopped: { message: expect.stringContaining('ECONNREFUSED') } });
});

test('an error that trying again can not help ends it', async () => {
  onBatch = () => {
    throw new ConnectError('no such thing', Code.Unimplemented);
  };
  const summary = await replay(file(EVENTS), options(), never());
  expect(summary).toMatchObject({ sent: 0, stopped: { code: Code.Unimplemented } });
});

test('an interrupt stops the reading and counts what was in flight', async () => {
  const interrupt = new AbortController();
  onBatch = () => interrupt.abort();
  const summary = await replay(file(EVENTS), options({ batch: 10 }), interrupt.signal);
  expect(summary.stopped).toBe('interrupted');
  expect(summary.accepted).toBe(received.length);
  expect(received.length).toBeLessThan(2000);
});

function listen(port: number): Promise<Server> {
  const ingestBatch: ServiceImpl<typeof IngestService>['ingestBatch'] = async (request) => {
    await onBatch(request);
    received.push(...request.events);
    return { results: request.events.map(result) };
  };
  const routes = connectNodeAdapter({ routes: (router) => router.service(IngestService, { ingestBatch }) });
  const listening = createServer(routes);
  return new Promise((resolve, reject) => {
    listening.once('error', reject);
    listening.listen(port, '127.0.0.1', () => resolve(listening));
  });
}

function close(closing: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => closing.close(() => resolve()));
  closing.closeAllConnections();
  return closed;
}

function result({ event }: Event) {
  const eventId = event.value!.eventId;
  if (event.value!.userId !== 'rejected') {
    return create(IngestResultSchema, { result: { case: 'accepted', value: { eventId } } });
  }
  const rejection = {
    eventId,
    field: 'user_id',
    reason: RejectReason.TOO_LONG,
    limit: '128 bytes',
    message: 'too long',
  };
  return create(IngestResultSchema, { result: { case: 'rejected', value: rejection } });
}

function options(changes: Partial<ReplayOptions> = {}): ReplayOptions {
  const { port } = server.address() as AddressInfo;
  const rejects = join(folder, 'rejects');
  return { url: `http://127.0.0.1:${port}`, batch: 500, timeout: 30, rejects, ...changes };
}

function file(events: readonly SeedEvent[]): string {
  const path = join(folder, 'events.ndjson');
  writeFileSync(path, ndjson(events));
  return path;
}

function ndjson(events: readonly SeedEvent[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}

function flat({ event }: Event) {
  return { event_id: event.value!.eventId, user_id: event.value!.userId };
}

function idsByUser(events: readonly { user_id: string; event_id: string }[]) {
  const ids = new Map<string, string[]>();
  for (const { user_id: user, event_id: id } of events) ids.set(user, [...(ids.get(user) ?? []), id]);
  return ids;
}

function metadataBytes({ event }: Event): number {
  return event.case === 'click' ? (event.value.metadata.note ?? '').length : 0;
}

function isClick(event: SeedEvent) {
  return event.event_type === 'click';
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function never(): AbortSignal {
  return new AbortController().signal;
}
