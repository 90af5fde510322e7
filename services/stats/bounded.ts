import { type ClickHouseClient, ClickHouseError } from '@clickhouse/client';
import { Code, ConnectError } from '@connectrpc/connect';
import { selectRows } from './select-rows.ts';
import type { Statement } from './sql.ts';

/** Longest that a query over rows which no rollup has summed may take, in seconds: a person waits for it. */
const MAX_SECONDS = 10;
/** Most memory of it, in bytes: half of what the embedded server has for everything. */
const MAX_MEMORY_BYTES = 1 << 30;
/** Most rows that it reads: what two cores read in about that time. */
const MAX_ROWS_READ = 50_000_000;

/** The settings that bound a query. */
export const BOUNDS = `max_execution_time = ${MAX_SECONDS}, max_memory_usage = ${MAX_MEMORY_BYTES},
  max_rows_to_read = ${MAX_ROWS_READ}`;

const SETTINGS = `${BOUNDS}, do_not_merge_across_partitions_select_final = 1, optimize_skip_unused_shards = 1`;

/** ClickHouse's names for what went beyond, and how much there may be of it. */
const LIMITS: Readonly<Record<string, string>> = {
  TIMEOUT_EXCEEDED: `${MAX_SECONDS} s`,
  TOO_SLOW: `${MAX_SECONDS} s`,
  MEMORY_LIMIT_EXCEEDED: `${MAX_MEMORY_BYTES >> 20} MiB of memory`,
  TOO_MANY_ROWS: `${MAX_ROWS_READ.toLocaleString('en-US')} rows read`,
};

/** As selectRows, of a statement without settings. Throws RESOURCE_EXHAUSTED beyond the limits. */
export async function selectBounded<Row>(
  client: ClickHouseClient,
  { query, query_params }: Statement,
  signal: AbortSignal | undefined,
): Promise<Row[]> {
  const bounded = { query: `${query} SETTINGS ${SETTINGS}`, query_params };
  return withinBounds('ask for fewer days, or filter', () => selectRows<Row>(client, bounded, signal));
}

/** What queries that have BOUNDS select. Throws RESOURCE_EXHAUSTED, with what to do, if one went beyond. */
export async function withinBounds<T>(advice: string, select: () => Promise<T>): Promise<T> {
  try {
    return await select();
  } catch (error) {
    const limit = error instanceof ClickHouseError ? LIMITS[error.type ?? ''] : undefined;
    if (limit === undefined) throw error;
    const message = `the answer takes more than ${limit}: ${advice}`;
    throw new ConnectError(message, Code.ResourceExhausted, undefined, [], error);
  }
}
