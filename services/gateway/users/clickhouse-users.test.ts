import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestClickHouse, type TestClickHouse } from '../../../test/fixtures/clickhouse.ts';
import { clickhouseClient } from '../../clickhouse/client.ts';
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

test('questions that would be too many at once are refused, and others are taken once those are answered', async () => {
  const findUsers = usersInClickHouse(server.client);
  const ask = () => findUsers(['conversion'], [randomUUID()]);
  const answers = await Promise.allSettled(Array.from({ length: 9 }, ask));
  expect(answers.map(({ status }) => status)).toEqual([...new Array(8).fill('fulfilled'), 'rejected']);
  expect(answers[8]).toMatchObject({ reason: { code: Code.ResourceExhausted } });
  expect(await ask()).toEqual(new Map());
});
