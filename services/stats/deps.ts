import type { ClickHouseClient } from '@clickhouse/client';
import { DAY_MS } from '../contract/limits.ts';
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
  /** What of the mesh's settings reports tell; UNTOLD if undefined. */
  told?: ToldSettings;
  /** Ends the streams of WatchStats, which otherwise last until the caller leaves. */
  shutdown?: AbortSignal;
}

/** Settings that reports are told with. Times in ms. */
export interface ToldSettings {
  /** Whose days are counted by; IANA name. */
  timeZone: string;
  /** How late an event may be and still be attributed: how long after it is over a day may change. */
  changesForMs: number;
  /** How long after its arrival a conversion can be corrected, and a click be judged. */
  correctionsForMs: number;
  /** Of all sums, ISO 4217; empty if the mesh names none. */
  currency: string;
}

/** Of a mesh that says nothing of itself: what attribution's settings are by default. */
export const UNTOLD: ToldSettings = {
  timeZone: 'UTC',
  changesForMs: 2 * DAY_MS,
  correctionsForMs: 90 * DAY_MS,
  currency: '',
};
