import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  type GetStatsRequestSchema,
  Interval,
  type StatsRow as StatsMessage,
} from '../clickmesh/v1/stats_service_pb.js';

type Request = MessageInitShape<typeof GetStatsRequestSchema>;

/** Which statistics. */
export interface StatsQuery {
  /** First and last day, both counted: YYYY-MM-DD, or a Date, of which the day in UTC counts. */
  startDate: string | Date;
  endDate: string | Date;
  /** Only this campaign. All if absent, as are those below. */
  campaignId?: string;
  source?: string;
  conversionType?: string;
  interval?: 'hourly' | 'daily' | 'weekly' | 'monthly';
  /** Attribution model; the first of the mesh if absent. */
  model?: string;
  /** Rows by these instead of campaign_id and source. */
  by?: string[];
  /** Also invalid clicks, gross sums and refunds. */
  gross?: boolean;
}

type Numbers = 'clicks' | 'invalidClicks';

/** What was counted in a period. Prints as JSON, in which micros are text. */
export interface StatsRow extends Omit<StatsMessage, '$typeName' | '$unknown' | Numbers> {
  clicks: number;
  invalidClicks?: number;
  toJSON(): object;
}

const INTERVALS = {
  hourly: Interval.HOURLY,
  daily: Interval.DAILY,
  weekly: Interval.WEEKLY,
  monthly: Interval.MONTHLY,
};

/** The query as a message has it. Throws a TypeError that names what is wrong. */
export function requestOf(query: StatsQuery): Request {
  const { startDate, endDate, interval, ...others } = query;
  if (interval !== undefined && !Object.hasOwn(INTERVALS, interval)) {
    throw new TypeError(`interval must be ${Object.keys(INTERVALS).join(', ')}: it is ${JSON.stringify(interval)}`);
  }
  return {
    ...others,
    startDate: dayOf('startDate', startDate),
    endDate: dayOf('endDate', endDate),
    ...(interval !== undefined && { interval: INTERVALS[interval] }),
  };
}

function dayOf(name: string, date: unknown): string {
  if (typeof date === 'string') return date;
  if (date instanceof Date && !Number.isNaN(date.getTime())) return date.toISOString().slice(0, 10);
  throw new TypeError(`${name} must be a day such as "2026-11-20", or a Date: it is ${String(date)}`);
}

export function rowOf(message: StatsMessage): StatsRow {
  const { $typeName: _, $unknown: __, clicks, invalidClicks, ...fields } = message;
  const row = {
    ...fields,
    clicks: Number(clicks),
    ...(invalidClicks !== undefined && { invalidClicks: Number(invalidClicks) }),
  };
  return Object.defineProperty(row, 'toJSON', { value: toJson }) as StatsRow;
}

function toJson(this: object): object {
  return Object.fromEntries(
    Object.entries(this).map(([name, value]) => [name, typeof value === 'bigint' ? String(value) : value]),
  );
}
