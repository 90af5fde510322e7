import type { Readable } from 'node:stream';
import { type ClickHouseClient, ClickHouseError } from '@clickhouse/client';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Attributes } from '@opentelemetry/api';
import { queryDuration } from '../telemetry/metrics.ts';
import { traceHeaders } from '../telemetry/tracing.ts';
import type { Statement } from './sql.ts';

/** Seconds after which a caller should try again while ClickHouse is down: it restarts within some. */
const RETRY_AFTER = '5';

/** ClickHouse's names for the ways in which a shard can fail to answer another. */
const SHARD_ERRORS = new Set([
  'ALL_CONNECTION_TRIES_FAILED',
  'ATTEMPT_TO_READ_AFTER_EOF',
  'NETWORK_ERROR',
  'SOCKET_TIMEOUT',
]);

/** Most bytes of an answer that ClickHouse keeps in memory until it is whole; a larger one goes to its disk. */
const ANSWER_BUFFER_BYTES = 32 << 20;

/** Selects rows by column name, 64-bit integers as strings. Throws UNAVAILABLE while a server can't be reached. */
export async function selectRows<Row>(
  client: ClickHouseClient,
  statement: Statement,
  signal: AbortSignal | undefined,
): Promise<Row[]> {
  return (await selectPage<Row>(client, statement, signal)).rows;
}

/** As selectRows, of a statement WITH TOTALS, or with a LIMIT and exact_rows_before_limit: `total` is without that. */
export async function selectPage<Row>(
  client: ClickHouseClient,
  statement: Statement,
  signal: AbortSignal | undefined,
): Promise<{ rows: Row[]; totals: Row | undefined; total: number }> {
  return orUnavailable(async () => {
    const result = await client.query({
      ...statement,
      // One document without repeated names: read in a third of the time of JSONEachRow.
      format: 'JSONCompact',
      clickhouse_settings: { output_format_json_quote_64bit_integers: 1 },
      abort_signal: signal,
      http_headers: traceHeaders(),
    });
    const { meta, data, totals, rows_before_limit_at_least: total = data.length } = await result.json<unknown[]>();
    const names = meta!.map(({ name }) => name);
    const row = (values: readonly unknown[]) => named(names, values) as Row;
    return { rows: data.map(row), totals: totals && row(totals as unknown as unknown[]), total };
  });
}

/**
 * Selects rows as the text of a JSON array of objects, just as ClickHouse writes it: to read and write them again would
 * cost more than the query. The stream begins once all rows are there, and must be read to its end or destroyed.
 */
export async function selectJson(client: ClickHouseClient, { query, query_params }: Statement): Promise<Readable> {
  return orUnavailable(async () => {
    const { stream } = await client.exec({
      query: `${query} FORMAT JSONEachRow`,
      query_params,
      http_headers: traceHeaders(),
      clickhouse_settings: {
        output_format_json_array_of_rows: 1,
        output_format_json_quote_64bit_integers: 0,
        output_format_json_escape_forward_slashes: 0,
        // An error is then the whole answer, never its end.
        http_wait_end_of_query: 1,
        http_response_buffer_size: String(ANSWER_BUFFER_BYTES),
      },
    });
    return stream;
  });
}

async function orUnavailable<T>(select: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const attributes: Attributes = { 'db.system.name': 'clickhouse', 'db.operation.name': 'SELECT' };
  try {
    return await select();
  } catch (error) {
    attributes['error.type'] = (error as Error).name;
    if (!isConnectionError(error)) throw error;
    throw new ConnectError('ClickHouse is unavailable', Code.Unavailable, { 'retry-after': RETRY_AFTER }, [], error);
  } finally {
    queryDuration.record((performance.now() - began) / 1000, attributes);
  }
}

function named(names: readonly string[], values: readonly unknown[]): object {
  const row: Record<string, unknown> = {};
  for (let i = 0; i < names.length; i++) row[names[i]!] = values[i];
  return row;
}

function isConnectionError(error: unknown): boolean {
  if (error instanceof ClickHouseError) return SHARD_ERRORS.has(error.type ?? '');
  if (!(error instanceof Error)) return false;
  // Node's network errors carry a code such as ECONNREFUSED; the client's own says only this.
  return 'code' in error ? /^E[A-Z]+$/.test(String(error.code)) : error.message === 'Timeout error.';
}
