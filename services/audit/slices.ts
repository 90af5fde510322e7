import type { ClickHouseClient } from '@clickhouse/client';
import { DAY_MS } from '../contract/limits.ts';

/**
 * Of time from `from` up to `to`, in ms. ClickHouse reads a table FINAL with a piece of each part of each month in
 * memory, so that however few keys are asked for, ten years of them take more than a query may.
 */
export interface Slice {
  from: number;
  to: number;
}

/**
 * From before until after any time that an event may have: from 2000-01-01 on. What is before 1970 ClickHouse sends to
 * shards in a way that these can't read.
 */
export const ALL_TIME: Slice = { from: Date.UTC(1980, 0), to: Date.UTC(2280, 0) };

/** How far a time and the day that it counts on, in any zone, may be apart: two days, to be sure. */
const MARGIN_MS = 2 * DAY_MS;
/** Most slices that one is cut into. */
const CUTS = 4;

/** The times of all that may count on the days of a slice. */
export function withMargin({ from, to }: Slice): Slice {
  return { from: from - MARGIN_MS, to: to + MARGIN_MS };
}

/** The times of the first event and of the last; undefined if there is none. */
export async function timesOfEvents(client: ClickHouseClient): Promise<Slice | undefined> {
  const query = `
    SELECT toUnixTimestamp64Milli(min(timestamp)) AS from, toUnixTimestamp64Milli(max(timestamp)) AS to
    FROM events_distributed
    WHERE event_type IN ('click', 'conversion')
    HAVING count() > 0`;
  const [times] = await (await client.query({ query, format: 'JSONEachRow' })).json<Record<keyof Slice, string>>();
  return times && { from: Number(times.from), to: Number(times.to) };
}

/**
 * Cuts a slice where months of UTC begin, which tables are partitioned by, into as many of about as many months with
 * events. Only itself if it has but one of them.
 */
export function cutSlice(slice: Slice, events: Slice): Slice[] {
  const first = monthOf(Math.max(slice.from, events.from));
  const months = monthOf(Math.min(slice.to - 1, events.to)) + 1 - first;
  const cuts = Math.max(1, Math.min(CUTS, months));
  const bounds = Array.from({ length: cuts - 1 }, (_, i) =>
    Date.UTC(1970, first + Math.round(((i + 1) * months) / cuts)),
  );
  return [slice.from, ...bounds].map((from, i) => ({ from, to: bounds[i] ?? slice.to }));
}

/** Months since 1970-01. */
function monthOf(time: number): number {
  const date = new Date(time);
  return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
}
