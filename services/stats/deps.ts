import type { ClickHouseClient } from '@clickhouse/client';
import { DAY_MS } from '../contract/limits.ts';
import type { Rollup } from '../contract/rollups.ts';
import type { EventLog } from '../log/event-log.ts';

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
  /** How far what ClickHouse has goes in the log; undefined of a process that does not know the log. */
  freshness?: Freshness;
  /** The log that events came by; undefined of a process that does not know it. */
  log?: Pick<EventLog, 'read' | 'offsets'>;
  /** What GET /status answers; undefined of a process that does not know how far the others are. */
  status?: () => Promise<object>;
  /** Ends the streams of WatchStats, which otherwise last until the caller leaves. */
  shutdown?: AbortSignal;
}

/** Settings that reports are told with. Times in ms. */
export interface ToldSettings {
  /** How late an event may be and still be attributed: how long after it is over a day may change. */
  changesForMs: number;
  /** How long after its arrival a conversion can be corrected, and a click be judged. */
  correctionsForMs: number;
  /** Of all sums, ISO 4217; empty if the mesh names none. */
  currency: string;
}

/** Of a mesh that says nothing of itself: what attribution's settings are by default. */
export const UNTOLD: ToldSettings = {
  changesForMs: 2 * DAY_MS,
  correctionsForMs: 90 * DAY_MS,
  currency: '',
};

export interface Freshness {
  /** Throws LogUnavailable. */
  covered(): Promise<Covered>;
}

/** What of raw-events is in ClickHouse, with all that follows from it. */
export interface Covered {
  /** By partition, offset of the first record that may be missing. */
  offsets: readonly number[];
  /** By partition, the offset after the last record that is acknowledged. */
  ends: readonly number[];
  /** Everything that arrived before is there; in ms since 1970-01-01 UTC. */
  completeThrough: number;
  /** How long ago that was, in ms; 0 if nothing is missing. */
  lagMs: number;
}
