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
export const BOUNDS = boundsOf(MAX_ROWS_READ);

function boundsOf(rows: number): string {
  return `max_execution_time = ${MAX_SECONDS}, max_memory_usage = ${MAX_MEMORY_BYTES}, max_rows_to_read = ${rows}`;
}

/** ClickHouse's names for what went beyond, and how much there may be of it. */
const LIMITS: Readonly<Record<string, string>> = {
  TIMEOUT_EXCEEDED: `${MAX_SECONDS} s`,
  TOO_SLOW: `${MAX_SECONDS} s`,
  MEMORY_LIMIT_EXCEEDED: `${MAX_MEMORY_BYTES >> 20} MiB of memory`,
};

/**
 * As selectRows, of a statement without settings. Throws RESOURCE_EXHAUSTED beyond the limits.
 *
 * @param rows the most that it reads
 */
export async function selectBounded<Row>(
  client: ClickHouseClient,
  { query, query_params }: Statement,
  signal: AbortSignal | undefined,
  rows = MAX_ROWS_READ,
): Promise<Row[]> {
  const settings = `${boundsOf(rows)}, do_not_merge_across_partitions_select_final = 1, optimize_skip_unused_shards = 1, distributed_product_mode = 'global'`;
  const bounded = { query: `${query} SETTINGS ${settings}`, query_params };
  return withinBounds('ask for fewer days, or filter', () => selectRows<Row>(client, bounded, signal), rows);
}

/** What queries that have BOUNDS select. Throws RESOURCE_EXHAUSTED, with what to do, if one went beyond. */
export async function withinBounds<T>(advice: string, select: () => Promise<T>, rows = MAX_ROWS_READ): Promise<T> {
  try {
    return await select();
  } catch (error) {
    const type = error instanceof ClickHouseError ? (error.type ?? '') : '';
    const limit = type === 'TOO_MANY_ROWS' ? `${rows.toLocaleString('en-US')} rows read` : LIMITS[type];
    if (limit === undefined) throw error;
    const message = `the answer takes more than ${limit}: ${advice}`;
    throw new ConnectError(message, Code.ResourceExhausted, undefined, [], error);
  }
}
