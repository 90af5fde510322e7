import { createServer, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { create, toBinary } from '@bufbuild/protobuf';
import pino from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { PartitionProgressSchema } from '../../gen/ts/clickmesh/v1/attribution_pb.js';
import { startTestClickHouse } from '../../test/fixtures/clickhouse.ts';
import { type MemoryLog, memoryLog } from '../../test/fixtures/memory-log.ts';
import { sinkClient, startSink } from './sink.ts';

/** Instead of five minutes. */
const TIMEOUT_MS = 2000;

/** A server before ClickHouse that takes the first insert into a queue, and passes it on without an answer. */
async function deafServer(clickhouse: string) {
  const unanswered: ServerResponse[] = [];
  const server = createServer((req, res) => {
    const isInsert = decodeURIComponent(req.url!).includes('attribution_progress_queue');
    if (isInsert && unanswered.push(res) === 1) {
      req.resume();
      return;
    }
    const onward = request(`${clickhouse}${req.url}`, { method: req.method, headers: req.headers }, (answer) => {
      res.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(res);
    });
    req.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, unanswered };
}

async function logWithProgress(): Promise<MemoryLog> {
  const log = memoryLog(1);
  const progress = create(PartitionProgressSchema, { partition: 0, records: 7n, version: 6n });
  const value = Buffer.from(toBinary(PartitionProgressSchema, progress));
  await log.append([{ topic: 'attribution-progress', partition: 0, key: '0', value }]);
  return log;
}

test('an insert that is never answered is given up, and begun anew', async () => {
  const clickhouse = await startTestClickHouse();
  onTestFinished(() => clickhouse.close());
  const { url, unanswered } = await deafServer(clickhouse.url);
  const client = sinkClient(url, TIMEOUT_MS);
  const log = await logWithProgress();
  const logger = pino({ level: 'silent' });
  const warn = vi.spyOn(logger, 'warn');
  const sink = startSink(log, client, logger);
  sink.failed.catch(() => {});
  onTestFinished(async () => {
    await sink.close();
    await client.close();
  });
  await vi.waitFor(() => expect(sink.positions()['attribution-progress']).toEqual([1]), { timeout: 20_000 });
  expect(unanswered).toHaveLength(2);
  const told = warn.mock.calls.map(([given, message]) => `${message}: ${(given as { err: Error }).err.message}`);
  expect(told).toEqual(['inserting attribution-progress failed; trying again: Timeout error.']);
  const rows = await clickhouse.client.query({
    query: 'SELECT records FROM attribution_progress FINAL',
    format: 'JSON',
  });
  expect((await rows.json<{ records: number }>()).data).toEqual([{ records: 7 }]);
}, 30_000);

test('what an insert failed for is told of its topic, until one is stored', async () => {
  const { client, ...clickhouse } = await startTestClickHouse();
  onTestFinished(() => clickhouse.close());
  const rename = (from: string, to: string) => client.command({ query: `RENAME TABLE ${from} TO ${to}` });
  await rename('attribution_progress_local', 'gone');
  const sink = startSink(await logWithProgress(), client, pino({ level: 'silent' }));
  sink.failed.catch(() => {});
  onTestFinished(() => sink.close());
  const told = { 'attribution-progress': expect.stringContaining('attribution_progress_local does not exist') };
  await vi.waitFor(() => expect(sink.troubles()).toEqual(told), { timeout: 20_000 });
  expect(sink.positions()['attribution-progress']).toEqual([0]);
  await rename('gone', 'attribution_progress_local');
  await vi.waitFor(() => expect(sink.positions()['attribution-progress']).toEqual([1]), { timeout: 20_000 });
  await vi.waitFor(() => expect(sink.troubles()).toEqual({}), { timeout: 20_000 });
}, 30_000);
