import { setTimeout as sleep } from 'node:timers/promises';
import { equals } from '@bufbuild/protobuf';
import type { ClickHouseClient } from '@clickhouse/client';
import { type GetStatsResponse, GetStatsResponseSchema } from '../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { getStats } from './get-stats.ts';
import type { StatsQuery } from './query.ts';
import type { FieldError } from './requests/field-error.ts';

const DEFAULT_PERIOD_MS = 1000;
const MIN_PERIOD_MS = 200;
const MAX_PERIOD_MS = 60_000;

export function parsePeriod(periodMs: number): number | FieldError {
  if (periodMs === 0) return DEFAULT_PERIOD_MS;
  if (periodMs >= MIN_PERIOD_MS && periodMs <= MAX_PERIOD_MS) return periodMs;
  return { field: 'period_ms', message: `period_ms is not in [${MIN_PERIOD_MS}, ${MAX_PERIOD_MS}]` };
}

/** Yields the stats at once and whenever a look finds them changed, until the signal aborts. */
export async function* watchStats(
  client: ClickHouseClient,
  query: StatsQuery,
  periodMs: number,
  signal: AbortSignal,
): AsyncGenerator<GetStatsResponse> {
  let last: GetStatsResponse | undefined;
  while (!signal.aborted) {
    const stats = await getStats(client, query);
    if (last === undefined || !equals(GetStatsResponseSchema, last, stats)) yield stats;
    last = stats;
    await sleep(periodMs, undefined, { signal }).catch(() => {});
  }
}
