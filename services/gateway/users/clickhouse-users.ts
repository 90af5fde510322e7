import type { ClickHouseClient } from '@clickhouse/client';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Attributes } from '@opentelemetry/api';
import { MAX_BATCH_ITEMS } from '../../contract/limits.ts';
import { queryDuration } from '../../telemetry/metrics.ts';
import { traceHeaders } from '../../telemetry/tracing.ts';
import type { FindUsers } from './find-users.ts';

/** Longest wait for the answer to a query, in s. */
const TIMEOUT_S = 5;
/** Most ids of a query, in one parameter: ClickHouse takes 128 KiB. */
const MAX_QUERY_IDS = MAX_BATCH_ITEMS;
/** Most ids that wait: those of as many large requests as a stream has on their way, and some more. */
const MAX_IDS = 16 * MAX_BATCH_ITEMS;
/** Seconds after which a client should try again: a question takes less than one, a restart of ClickHouse some. */
const RETRY_AFTER_FULL = '1';
const RETRY_AFTER_OUTAGE = '5';

type Users = Awaited<ReturnType<FindUsers>>;

/**
 * Finds users by the events that ClickHouse has. Of events of the same types it asks one question at a time: ids that
 * come meanwhile are asked for together, by the next.
 */
export function usersInClickHouse(client: ClickHouseClient): FindUsers {
  const lanes = new Map<string, (ids: readonly string[]) => Promise<Users>>();
  return async (types, ids) => {
    const key = types.join();
    const lane = lanes.get(key) ?? inTurn((all) => ask(client, types, all));
    lanes.set(key, lane);
    return lane(ids);
  };
}

function inTurn(askAll: (ids: readonly string[]) => Promise<Users>): (ids: readonly string[]) => Promise<Users> {
  let last: Promise<unknown> = Promise.resolve();
  /** What is asked once the last question is answered; undefined if nothing waits. */
  let next: { ids: Set<string>; answer: Promise<Users> } | undefined;
  return (ids) => {
    if (next === undefined) {
      const gathered = new Set<string>();
      const answer = last.then(() => {
        next = undefined;
        return askAll([...gathered]);
      });
      last = answer.catch(() => {});
      next = { ids: gathered, answer };
    }
    if (next.ids.size + ids.length > MAX_IDS) {
      const message = 'too many events without user_id are on their way';
      throw new ConnectError(message, Code.ResourceExhausted, { 'retry-after': RETRY_AFTER_FULL });
    }
    for (const id of ids) next.ids.add(id);
    return next.answer;
  };
}

async function ask(client: ClickHouseClient, types: readonly string[], ids: readonly string[]): Promise<Users> {
  const began = performance.now();
  const attributes: Attributes = { 'db.system.name': 'clickhouse', 'db.operation.name': 'SELECT' };
  try {
    const found = new Map<string, readonly string[]>();
    for (let start = 0; start < ids.length; start += MAX_QUERY_IDS) {
      const rows = await select(client, types, ids.slice(start, start + MAX_QUERY_IDS));
      for (const { id, users } of rows) found.set(id, users);
    }
    return found;
  } catch (error) {
    attributes['error.type'] = (error as Error).name;
    const message = 'ClickHouse, which knows the user of an event without user_id, is unavailable';
    throw new ConnectError(message, Code.Unavailable, { 'retry-after': RETRY_AFTER_OUTAGE }, [], error);
  } finally {
    queryDuration.record((performance.now() - began) / 1000, attributes);
  }
}

async function select(client: ClickHouseClient, types: readonly string[], ids: readonly string[]) {
  const result = await client.query({
    query: `
      SELECT toString(event_id) AS id, groupUniqArray(2)(user_id) AS users
      FROM events_distributed
      WHERE event_id IN {ids:Array(UUID)} AND event_type IN {types:Array(String)}
      GROUP BY event_id`,
    query_params: { ids, types },
    format: 'JSONEachRow',
    clickhouse_settings: { max_execution_time: TIMEOUT_S },
    abort_signal: AbortSignal.timeout(TIMEOUT_S * 1000),
    http_headers: traceHeaders(),
  });
  return result.json<{ id: string; users: string[] }>();
}
