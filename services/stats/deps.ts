import type { ClickHouseClient } from '@clickhouse/client';
import type { Rollup } from '../contract/rollups.ts';

export interface StatsDeps {
  /** A client of a migrated server. */
  client: ClickHouseClient;
  /** Attribution models that the mesh counts, the one first that a request without a model means. */
  models: readonly string[];
  /** Counts that the mesh keeps beside daily_stats. */
  rollups: readonly Rollup[];
  /** The setting REPORT_TIME_ZONE, UTC if undefined. */
  timeZone?: string;
  /** Ends the streams of WatchStats, which otherwise last until the caller leaves. */
  shutdown?: AbortSignal;
}
