import type { ClickHouseClient } from '@clickhouse/client';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Attributes } from '@opentelemetry/api';
import { queryDuration } from '../../telemetry/metrics.ts';
import { traceHeaders } from '../../telemetry/tracing.ts';
import type { FindUsers } from './find-users.ts';

/** Longest wait for ClickHouse, in s. */
const TIMEOUT_S = 5;
/** Most questions on their way, each of at most as many ids as a request has events. */
const MAX_QUESTIONS = 8;
/** Seconds after which a client should try again: questions take less than one, a restart of ClickHouse some. */
const RETRY_AFTER_FULL = '1';
const RETRY_AFTER_OUTAGE = '5';

/** Finds users by the events that ClickHouse has. */
export function usersInClickHouse(client: ClickHouseClient): FindUsers {
  let questions = 0;
  return async (types, ids) => {
    if (questions >= MAX_QUESTIONS) {
      const message = 'too many events without user_id are on their way';
      throw new ConnectError(message, Code.ResourceExhausted, { 'retry-after': RETRY_AFTER_FULL });
    }
    questions++;
    const began = performance.now();
    const attributes: Attributes = { 'db.system.name': 'clickhouse', 'db.operation.name': 'SELECT' };
    try {
      return new Map((await select(client, types, ids)).map(({ id, users }) => [id, users]));
    } catch (error) {
      attributes['error.type'] = (error as Error).name;
      const message = 'ClickHouse, which knows the user of an event without user_id, is unavailable';
      throw new ConnectError(message, Code.Unavailable, { 'retry-after': RETRY_AFTER_OUTAGE }, [], error);
    } finally {
      questions--;
      queryDuration.record((performance.now() - began) / 1000, attributes);
    }
  };
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
