import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClickHouseClient } from '@clickhouse/client';
import { Code, ConnectError } from '@connectrpc/connect';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestClickHouse, type TestClickHouse } from '../../../test/fixtures/clickhouse.ts';
import { hang } from '../../../test/fixtures/hang.ts';
import { clickhouseClient } from '../../clickhouse/client.ts';
import { EMBEDDED_CLUSTER, startClickHouseShards } from '../../clickhouse/embedded/shards.ts';
import { migrate } from '../../clickhouse/migrate.ts';
import { freePort } from '../../system/free-port.ts';
import { usersInClickHouse } from './clickhouse-users.ts';

let server: TestClickHouse;

beforeAll(async () => {
  server = await startTestClickHouse();
});
afterAll(() => server.close());

async function insert(rows: { event_type: string; event_id: string; user_id: string }[]): Promise<void> {
  const values = rows.map((row, _offset) => ({ ...row, _offset }));
  await server.client.insert({ table: 'events_distributed', values, format: 'JSONEachRow' });
}

test('the users of events are found by their ids, those of each type by themselves', async () => {
  const [known, shared, unknown] = [randomUUID(), randomUUID(), randomUUID()];
  await insert([
    { event_type: 'conversion', event_id: known, user_id: 'ann' },
    { event_type: 'click', event_id: known, user_id: 'bob' },
    // As a duplicate may be until parts are merged.
    { event_type: 'conversion', event_id: known, user_id: 'ann' },
    ...['ann', 'bob', 'eve'].map((user_id) => ({ event_type: 'conversion', event_id: shared, user_id })),
  ]);
  const findUsers = usersInClickHouse(server.client);
  const found = await findUsers(['conversion'], [known, shared, unknown]);
  expect([...found.keys()].sort()).toEqual([known, shared].sort());
  expect(found.get(known)).toEqual(['ann']);
  expect(found.get(shared)).toHaveLength(2);
  expect(await findUsers(['click'], [known, shared])).toEqual(new Map([[known, ['bob']]]));
});

test('as many ids as a request has events are asked for at once', async () => {
  const rows = Array.from({ length: 1000 }, (_, i) => ({
    event_type: 'conversion',
    event_id: randomUUID(),
    user_id: `user-${i}`,
  }));
  await insert(rows);
  const ids = rows.map(({ event_id }) => event_id);
  const found = await usersInClickHouse(server.client)(['conversion'], ids);
  expect(found).toEqual(new Map(rows.map(({ event_id, user_id }) => [event_id, [user_id]])));
});

test('granules without the id are passed over by the index', async () => {
  const query = `EXPLAIN indexes = 1 SELECT user_id FROM events_distributed WHERE event_id IN ['${randomUUID()}']`;
  const result = await server.client.query({ query, format: 'TabSeparatedRaw' });
  expect(await result.text()).toContain('event_id_index');
});

test('a ClickHouse that does not answer is UNAVAILABLE, to be asked again', async () => {
  await using client = clickhouseClient(`http://127.0.0.1:${await freePort()}`);
  const error = await usersInClickHouse(client)(['conversion'], [randomUUID()]).catch((thrown: ConnectError) => thrown);
  expect(error).toBeInstanceOf(ConnectError);
  expect(error).toMatchObject({ code: Code.Unavailable });
  expect((error as ConnectError).metadata.get('retry-after')).toBe('5');
});

test('so is one that takes a question and does not answer', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  try {
    await using client = clickhouseClient(`http://127.0.0.1:${port}`);
    const answer = usersInClickHouse(client)(['conversion'], [randomUUID()]);
    await expect(answer).rejects.toMatchObject({ code: Code.Unavailable });
  } finally {
    silent.closeAllConnections();
    silent.close();
  }
}, 30_000);

test('users of all shards are found, and while one of them is down none is taken for unknown', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'users-'));
  await using servers = new AsyncDisposableStack();
  servers.defer(() => rmSync(dir, { recursive: true }));
  const shards = await startClickHouseShards({ dir, shards: 2, logger: pino({ level: 'silent' }) });
  servers.defer(() => shards.close());
  const clients = shards.urls.map((url) => servers.use(clickhouseClient(url)));
  for (const client of clients) await migrate(client, { cluster: EMBEDDED_CLUSTER });
  const rows = Array.from({ length: 20 }, (_, i) => ({
    event_type: 'click',
    event_id: randomUUID(),
    user_id: `u${i}`,
  }));
  const ids = rows.map(({ event_id }) => event_id);
  await clients[0]!.insert({ table: 'events_distributed', values: rows, format: 'JSONEachRow' });
  const findUsers = usersInClickHouse(clients[0]!);
  expect(await findUsers(['click'], ids)).toEqual(new Map(rows.map(({ event_id, user_id }) => [event_id, [user_id]])));
  const onSecond = await clients[1]!.query({
    query: 'SELECT count() AS rows FROM events_local',
    format: 'JSONEachRow',
  });
  expect(await onSecond.json()).not.toEqual([{ rows: expect.stringMatching(/^(?:0|20)$/) }]);

  // Stopped, not killed, which would start it again at once.
  await hang(shards.pids()[1]!);
  await expect(findUsers(['click'], ids)).rejects.toMatchObject({ code: Code.Unavailable });
  process.kill(shards.pids()[1]!, 'SIGCONT');
  await expect.poll(() => findUsers(['click'], ids).then(({ size }) => size), { timeout: 30_000 }).toBe(20);
}, 60_000);

test('ids that come while a question is asked are asked for together, and too many are refused', async () => {
  let questions = 0;
  const query = (parameters: Parameters<typeof server.client.query>[0]) => {
    questions++;
    return server.client.query(parameters);
  };
  const findUsers = usersInClickHouse({ query } as unknown as ClickHouseClient);
  const asked = (count: number) =>
    findUsers(
      ['conversion'],
      Array.from({ length: count }, () => randomUUID()),
    );
  const first = asked(1);
  await expect.poll(() => questions).toBe(1);
  await Promise.all([first, asked(1), asked(1), asked(1)]);
  expect(questions).toBe(2);

  const answers = await Promise.allSettled(Array.from({ length: 17 }, () => asked(1000)));
  expect(answers.map(({ status }) => status)).toEqual([...new Array(16).fill('fulfilled'), 'rejected']);
  expect(answers.at(-1)).toMatchObject({ reason: { code: Code.ResourceExhausted } });
  expect(await asked(1000)).toEqual(new Map());
});
