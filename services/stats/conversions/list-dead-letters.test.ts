import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestClickHouse, type TestClickHouse } from '../../../test/fixtures/clickhouse.ts';
import { memoryLog } from '../../../test/fixtures/memory-log.ts';
import { statsClient } from '../../../test/fixtures/stats.ts';
import { letterHeaders, SET_ASIDE } from '../../contract/dead-letters.ts';

const TIME = Date.UTC(2023, 2, 15, 10);

let server: TestClickHouse;

beforeAll(async () => {
  server = await startTestClickHouse();
});

afterAll(() => server.close());

test('dead letters, the newest first, on pages, with the begin of what they were', async () => {
  const letter = (n: number, raw: string) => {
    const times = { _append_time: new Date(TIME + (n % 2)).toISOString().slice(0, -1) };
    return { topic: 'raw-events', _partition: 1, _offset: n, ...times, error: `of ${n}`, raw };
  };
  const values = [letter(1, ''), letter(2, 'x'.repeat(5000)), letter(3, 'ÿ'), letter(4, '')];
  await server.client.insert({ table: 'ingest_errors', values, format: 'JSONEachRow' });
  const stats = statsClient({ client: server.client, models: [], rollups: [] });
  const first = await stats.listDeadLetters({ limit: 3 });
  expect(first.total).toBe(4n);
  const { deadLetters: rest, nextPageToken } = await stats.listDeadLetters({
    limit: 3,
    pageToken: first.nextPageToken,
  });
  expect([...first.deadLetters, ...rest].map(({ offset, error }) => [Number(offset), error])).toEqual(
    [3, 1, 4, 2].map((n) => [n, `of ${n}`]),
  );
  expect(nextPageToken).toBe('');
  expect(first.deadLetters[0]).toMatchObject({ topic: 'raw-events', partition: 1, arrivalTime: BigInt(TIME + 1) });
  expect(Buffer.from(first.deadLetters[0]!.value).toString()).toBe('ÿ');
  expect(rest[0]!.value).toHaveLength(4096);
});

test('what attribution set aside, as far as the newest letters tell, the newest first, with what it failed with', async () => {
  const log = memoryLog(2);
  const letter = (offset: number, reason: string, value: Buffer) => ({
    topic: 'raw-events.DLT' as const,
    key: 'ann',
    partition: offset % 2,
    value,
    headers: letterHeaders({ partition: offset % 2, offset, appendTime: TIME + offset }, reason),
  });
  const stats = statsClient({ client: server.client, models: [], rollups: [], log });
  expect(await stats.listDeadLetters({})).toMatchObject({ setAside: [] });
  await log.append([letter(1, `${SET_ASIDE}of long ago`, Buffer.of(1))]);
  for (let n = 1; n < 100; n++) await log.append([letter(2 * n + 1, 'not an event', Buffer.of(255))]);
  await log.append([letter(500, `${SET_ASIDE}RangeError: too far`, Buffer.alloc(5000, 7))]);
  await log.append([letter(501, `${SET_ASIDE}TypeError: of undefined`, Buffer.of(8))]);
  const { setAside, total, nextPageToken } = await stats.listDeadLetters({ limit: 3 });
  expect(setAside.map(({ error, offset, partition }) => [Number(offset), partition, error])).toEqual([
    [501, 1, 'set aside: TypeError: of undefined'],
    [500, 0, 'set aside: RangeError: too far'],
  ]);
  expect(setAside[0]).toMatchObject({ topic: 'raw-events', arrivalTime: BigInt(TIME + 501), value: Uint8Array.of(8) });
  expect(setAside[1]!.value).toHaveLength(4096);
  expect(total).toBe(4n);
  expect(await stats.listDeadLetters({ limit: 3, pageToken: nextPageToken })).toMatchObject({ setAside: [] });
});
