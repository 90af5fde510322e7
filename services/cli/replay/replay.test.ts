import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, type ServiceImpl } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Event } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import {
  type IngestBatchRequest,
  IngestResultSchema,
  IngestService,
  RejectReason,
} from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { EVENT_TYPES } from '../../contract/event-rules.ts';
import { generateEvents } from '../generate/journeys.ts';
import type { SeedEvent } from '../generate/seed-events.ts';
import { type ReplayOptions, replay } from './replay.ts';

const EVENTS = [
  ...generateEvents({
    ...{ events: 2000, users: 50, campaigns: 5, seed: 1, end: '2025-12-31', days: 1 },
    ...{ conversionRate: 0.1, duplicates: 0, late: 0, disorderMs: 0, refunds: 0.3, invalid: 0.1 },
  }),
];

/** What `GET /status` answers. */
const STATUS = {
  clickhouse_url: 'http://127.0.0.1:8123',
  lookback_hours: 24,
  lookback_hours_by_type: {},
  id_hours: { click: 48, conversion: 168 },
  models: ['last_click'],
  topics: [],
  attribution: [],
};

let folder: string;
let server: Server;
/** All that was written to stderr. */
let stderr: string;
let received: Event[];
/** Called with every batch before it is taken; may throw. */
let onBatch: (request: IngestBatchRequest) => void | Promise<void>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'clickmesh-replay-'));
  received = [];
  onBatch = () => {};
  stderr = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += text;
    return true;
  });
  server = await listen(0);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await close(server);
  rmSync(folder, { recursive: true });
});

test('every event arrives, and those of one user in their order', async () => {
  const summary = await replay(file(EVENTS), options({ batch: 7 }), never());
  expect(summary).toMatchObject({ sent: 2000, accepted: 2000, rejected: 0 });
  expect(idsByUser(received.map(flat))).toEqual(idsByUser(EVENTS));
  const byType = Map.groupBy(EVENTS, ({ event_type: type }) => type);
  expect(summary.types).toEqual(new Map([...byType].map(([type, { length }]) => [type, length])));
});

test('fields arrive as they are in the file', async () => {
  const ofEachType = [...new Map(EVENTS.map((event) => [event.event_type, event])).values()];
  expect(ofEachType).toHaveLength(EVENT_TYPES.length);
  await replay(file(ofEachType), options(), never());
  for (const { event_type: type, ...fields } of ofEachType) {
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

test('a gzip file that is cut off ends with an error that says where, after what could be read', async () => {
  const path = join(folder, 'events.gz');
  const whole = gzipSync(ndjson(EVENTS));
  writeFileSync(path, whole.subarray(0, whole.length / 2));
  const summary = await replay(path, options(), never());
  const cut = gunzipSync(whole.subarray(0, whole.length / 2), { finishFlush: constants.Z_SYNC_FLUSH });
  const lines = cut.toString().split('\n').length;
  expect(summary).toMatchObject({ accepted: lines - 1, rejected: 1 });
  expect(summary.stopped).toEqual(
    new Error(`${path} is cut off at byte ${whole.length / 2}; sent up to line ${lines} of its content`),
  );
});

test('a damaged gzip file ends with an error that says so, and which line is the first that shows it', async () => {
  const path = join(folder, 'events.gz');
  const damaged = gzipSync(ndjson(EVENTS));
  damaged[damaged.length >> 1]! ^= 0xff;
  writeFileSync(path, damaged);
  const summary = await replay(path, options(), never());
  const unread = reasons(summary.rejects!).filter(({ reason }) => reason === 'malformed');
  expect(unread.length).toBeGreaterThan(1);
  expect(String(summary.stopped)).toMatch(
    new RegExp(
      `${path} is damaged somewhere before byte ${damaged.length}: its checksum is wrong, and part of what was `,
    ),
  );
  expect(String(summary.stopped)).toContain(`, of which line ${unread[0]!.input_line} is the first that is no event`);
});

test('UTF-16 is named, and how to convert it', async () => {
  const path = join(folder, 'events.ndjson');
  writeFileSync(path, Buffer.from(`\ufeff${ndjson(EVENTS)}`, 'utf16le'));
  const summary = await replay(path, options(), never());
  const how = `iconv -f UTF-16LE -t UTF-8 ${path}`;
  expect(summary).toMatchObject({ sent: 0, rejected: 0, stopped: { message: expect.stringContaining(how) } });
});

describe('rejects', () => {
  const [first, second, third] = EVENTS.slice(0, 3).map((event) => JSON.stringify(event));
  const byMesh = JSON.stringify({ ...EVENTS[3], user_id: 'rejected' });
  const tooLong = `{"x":"${'x'.repeat(2 ** 20)}"}`;

  function write(lines: (string | undefined)[], name = 'events.ndjson'): string {
    const path = join(folder, name);
    writeFileSync(path, lines.join('\n'));
    return path;
  }

  test('are beside the input as they came and in its order, and beside them why', async () => {
    const overLines = JSON.stringify({ event_type: 'view' }, null, 2);
    const path = write([first, byMesh, '{"event_type":', second, tooLong, overLines, byMesh, third, '5']);
    const summary = await replay(path, options(), never());
    expect(summary).toMatchObject({ sent: 5, accepted: 3, rejected: 6, stopped: undefined });
    expect(summary.rejects).toBe(`${path}.rejects-1`);
    const rejects = [byMesh, '{"event_type":', overLines, byMesh, '5', ''];
    expect(readFileSync(summary.rejects!, 'utf8')).toBe(rejects.join('\n'));
    expect(reasons(summary.rejects!)).toMatchObject([
      { line: 1, input_line: 2, reason: 'too_long', field: 'user_id', event_id: EVENTS[3]!.event_id },
      { line: 2, input_line: 3, reason: 'malformed', message: expect.stringContaining('at line 3, column 15') },
      { input_line: 5, reason: 'too_long', field: 'event' },
      { line: 3, input_line: 6, reason: 'unknown_event_type', field: 'event_type' },
      { line: 6, input_line: 9, reason: 'too_long', field: 'user_id' },
      { line: 7, input_line: 11, reason: 'malformed', field: 'event' },
    ]);
    expect(reasons(summary.rejects!)[2]).not.toHaveProperty('line');
  });

  test('are in the order of the input whatever comes first', async () => {
    const answers: (() => void)[] = [];
    // The mesh answers the four senders in turn, the last first.
    onBatch = () =>
      new Promise((resolve) => {
        answers.unshift(resolve);
        if (answers.length === 4) for (const answer of answers) answer();
      });
    const users = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const lines = users.flatMap((user) => [JSON.stringify({ ...EVENTS[3], user_id: `rejected ${user}` }), user]);
    const summary = await replay(write(lines), options(), never());
    expect(readFileSync(summary.rejects!, 'utf8').trim().split('\n')).toEqual(lines);
  });

  test('do not pile up while the events before them wait for their batch', async () => {
    const batches: number[] = [];
    onBatch = ({ events }) => void batches.push(events.length);
    const lines = [first, ...Array(40_000).fill('#'), first];
    expect(await replay(write(lines), options(), never())).toMatchObject({ accepted: 2, rejected: 40_000 });
    expect(batches).toEqual([1, 1]);
  });

  test('mended in place and replayed, they are accepted', async () => {
    const broken = Buffer.from(`${first!.replace('"click"', '"klick"')}\n`);
    const latin1 = Buffer.from(second!.replace('"user_id":"', '"user_id":"é'), 'latin1');
    const path = join(folder, 'events.ndjson');
    writeFileSync(path, Buffer.concat([broken, latin1]));
    const { rejects } = await replay(path, options(), never());
    execFileSync('sed', ['-i', 's/klick/click/; s/\\xe9//', rejects!], { env: { LC_ALL: 'C' } });
    expect(readFileSync(rejects!, 'utf8')).toBe(`${first}\n${second}\n`);
    expect(await replay(rejects!, options(), never())).toMatchObject({ accepted: 2, rejected: 0, rejects: undefined });
  });

  test('of another run are left alone', async () => {
    const path = write(['1']);
    await replay(path, options(), never());
    writeFileSync(`${path}.rejects-2.reasons`, 'of somebody');
    const { rejects } = await replay(write(['2']), options(), never());
    expect(rejects).toBe(`${path}.rejects-3`);
    expect(readFileSync(`${path}.rejects-1`, 'utf8')).toBe('1\n');
    expect(readdirSync(folder)).not.toContain('events.ndjson.rejects-2');
  });

  test('none, no file', async () => {
    expect((await replay(write([first]), options(), never())).rejects).toBeUndefined();
    expect(readdirSync(folder)).toEqual(['events.ndjson']);
  });

  test('go where --rejects says', async () => {
    const { rejects } = await replay(write(['5']), options({ rejects: join(folder, 'bad') }), never());
    expect(rejects).toBe(join(folder, 'bad-1'));
  });

  test('that can not be written end the run', async () => {
    const { stopped } = await replay(write([first, '5']), options({ rejects: join(folder, 'no', 'such') }), never());
    expect(stopped).toMatchObject({ message: expect.stringMatching(/can't be written: ENOENT.*--rejects/) });
  });
});

test('events older than their event_ids are known are counted, and warned about as soon as there is one', async () => {
  const hoursAgo = (hours: number) => Date.now() - hours * 3_600_000;
  const [click, conversion] = [EVENTS.find(isClick)!, EVENTS.find((event) => !isClick(event))!];
  const events = [
    { ...click, timestamp: hoursAgo(47) },
    { ...conversion, timestamp: hoursAgo(167) },
    { ...click, timestamp: hoursAgo(49), user_id: 'rejected' },
    { ...click, timestamp: hoursAgo(49) },
    { ...click, timestamp: hoursAgo(490) },
    { ...conversion, timestamp: hoursAgo(169) },
  ];
  const { old } = await replay(file(events.slice(0, 3)), options(), never());
  expect([old, stderr]).toEqual([new Map(), '']);
  const summary = await replay(file(events), options({ batch: 1 }), never());
  expect(summary.old).toEqual(
    new Map(Object.entries({ 'clicks older than 48 h': 2, 'conversions older than 168 h': 1 })),
  );
  expect(stderr.match(/warning: .*\/events.ndjson has events that are older .*Ctrl-C/g)).toHaveLength(1);
});

test('an array that is not closed is warned about', async () => {
  const path = join(folder, 'events.json');
  writeFileSync(path, JSON.stringify(EVENTS.slice(0, 5), null, 2).slice(0, -2));
  expect(await replay(path, options(), never())).toMatchObject({ accepted: 5, rejected: 0, stopped: undefined });
  expect(stderr).toContain(`warning: ${path} ends inside of the array that begins in line 1`);
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
  const listening = createServer((request, response) => {
    if (request.url === '/status') response.setHeader('content-type', 'application/json').end(JSON.stringify(STATUS));
    else routes(request, response);
  });
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
  if (!event.value!.userId.startsWith('rejected')) {
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
  return { url: `http://127.0.0.1:${port}`, batch: 500, timeout: 30, ...changes };
}

function file(events: readonly SeedEvent[]): string {
  const path = join(folder, 'events.ndjson');
  writeFileSync(path, ndjson(events));
  return path;
}

function ndjson(events: readonly SeedEvent[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}

function reasons(rejects: string): { reason: string; input_line: number }[] {
  const lines = readFileSync(`${rejects}.reasons`, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line));
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
