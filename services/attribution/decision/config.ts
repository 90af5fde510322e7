import { z } from 'zod';
import { DAY_MS, HOUR_MS } from '../../contract/limits.ts';
import { isTimeZone, UTC } from '../../contract/report-days.ts';
import { parseRollups, type Rollup } from '../../contract/rollups.ts';
import { GIVEN_NUMBER } from '../../system/given-number.ts';
import type { Role } from './kinds.ts';
import { MODELS, type ModelName } from './models.ts';
import type { Windows } from './state.ts';

/** How conversions are attributed. Changing it changes decisions from then on, not those already made. */
export interface AttributionConfig {
  models: readonly ModelName[];
  /** Counts that are kept beside daily_stats. */
  rollups: readonly Rollup[];
  /** Whose days counts are by, unless what is counted has others, which is refused. */
  timeZone: string;
  /** Lookback window of a conversion type, in ms. */
  lookbackMs(conversionType: string): number;
  /** What a conversion of a type is decided within that comes now: of a type, always the same object. */
  windows(conversionType: string): Windows;
  /** The lookback windows by type, in ms; under the empty one that of all other types. */
  lookbacksMs: Readonly<Record<string, number>>;
  /**
   * How long after its arrival an event is kept in its user's state, in ms. As long as a touch is, a touch can be
   * credited and a conversion be decided anew. `correction`: how long after its arrival a conversion can be corrected,
   * and its candidates, which are kept as long, be judged; and how long what corrects them waits.
   */
  retentionMs: Readonly<Record<Role | 'correction', number>>;
  /** How long after its arrival an event's id is known at least, in ms: no less than a touch is kept. */
  eventIdMs: number;
  /** Most touches that models share among, and most touches and conversions in a user's state: others are beside it. */
  maxTouches: number;
  /** With how much in a user's state what is closed moves out of it; see `close` in retention.ts. */
  closing: { conversions: number; touches: number };
  /** About how many bytes of users' states and counters a node keeps in memory, in equal shares of its partitions. */
  userCacheBytes: number;
  /** About how many bytes follow from one part of an event that decides very many conversions anew; see `redecide`. */
  partBytes: number;
}

/** Of some 75 conversions that a few touches share, or 5 that MAX_TOUCHES share: 10 or 15 ms. */
const PART_BYTES = 1 << 20;

/**
 * Fewer conversions with a click each are read in 20 us. More are moved, in blocks of many: those of two or three would
 * cost more to write, on disk and in time, than they ever save.
 */
const CLOSING = { conversions: 16, touches: 64 };

/** How much longer than it can be corrected a conversion is known, in ms: what is too late is told from what waits. */
const TOO_LATE_MS = 30 * DAY_MS;

const MAX_HOURS = 24 * 365;
const hours = z.coerce.number().positive().max(MAX_HOURS);
const hoursOrNone = GIVEN_NUMBER.pipe(z.coerce.number<string>().nonnegative().max(MAX_HOURS));

function areUnique(names: readonly string[]): boolean {
  return new Set(names).size === names.length;
}

const environment = z.object({
  /** Attribution models, separated by commas. */
  MODELS: z
    .string()
    .default(Object.keys(MODELS).join(','))
    .transform((names) => names.split(',').map((name) => name.trim()))
    .pipe(z.array(z.enum(Object.keys(MODELS) as [ModelName, ...ModelName[]])).min(1))
    // Every credit of a model that is there twice would count twice.
    .refine(areUnique, 'names a model twice'),
  /** Counts kept beside daily_stats, separated by semicolons; none if empty. */
  ROLLUPS: z
    .string()
    .default('day:campaign_id,ad_id; hour:campaign_id')
    .transform((text, context) => {
      try {
        return parseRollups(text);
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message });
        return z.NEVER;
      }
    }),
  /** Zone of the days of all counts; fixed when anything is counted. */
  REPORT_TIME_ZONE: z
    .string()
    .default(UTC)
    .refine(isTimeZone, 'is no time zone by a name of IANA, such as UTC or America/New_York'),
  LOOKBACK_HOURS: hours.default(24),
  /** Exceptions to LOOKBACK_HOURS by conversion type, such as `install=168,signup=1`. */
  LOOKBACK_HOURS_BY_TYPE: z
    .string()
    .default('')
    .transform((text) => text.split(',').flatMap((pair) => pair.trim() || []))
    .pipe(z.array(z.string().regex(/^[^=\s](?:[^=]*[^=\s])?=[0-9.]+$/, 'must look like install=168,signup=1')))
    .transform((pairs) => pairs.map((pair) => pair.split('=') as [string, unknown]))
    .refine((pairs) => areUnique(pairs.map(([type]) => type)), 'names a type twice')
    .transform((pairs) => Object.fromEntries(pairs))
    .pipe(z.record(z.string(), hours)),
  /** How much later than its time an event may arrive and still be attributed exactly. */
  ALLOWED_LATENESS_HOURS: hoursOrNone.default(24),
  /** How long after its arrival an event's id is kept to know its duplicates. */
  EVENT_ID_DAYS: z.coerce.number().positive().max(365).default(30),
  /** Its name in 0.1. */
  CONVERSION_ID_HOURS: z.undefined({ error: 'is no more: EVENT_ID_DAYS holds for clicks and conversions' }).optional(),
  /** How long after its arrival a conversion can be adjusted, and its clicks be judged. */
  ADJUSTMENT_DAYS: z.coerce.number().positive().max(365).default(90),
  MAX_TOUCHES: z.coerce.number().int().min(1).max(10_000).default(1024),
  /** Megabytes of users' states and counters that a node keeps in memory, in equal shares of its partitions. */
  USER_CACHE_MB: z.coerce.number().min(1).max(65_536).default(512),
});

export type AttributionEnvironment = z.infer<typeof environment>;

/** The part of the environment that attribution reads. Throws a ZodError that lists everything wrong. */
export function parseAttributionEnvironment(env: NodeJS.ProcessEnv): AttributionEnvironment {
  return environment.parse(env);
}

export function attributionConfig(env: AttributionEnvironment): AttributionConfig {
  const lookbackByType = new Map(Object.entries(env.LOOKBACK_HOURS_BY_TYPE).map(([type, h]) => [type, h * HOUR_MS]));
  const lookback = env.LOOKBACK_HOURS * HOUR_MS;
  const longestLookback = Math.max(lookback, ...lookbackByType.values());
  const touch = longestLookback + env.ALLOWED_LATENESS_HOURS * HOUR_MS;
  const correction = Math.max(env.ADJUSTMENT_DAYS * DAY_MS, touch);
  const windowsWithin = (lookbackMs: number) => ({ lookbackMs, apartMs: touch, maxTouches: env.MAX_TOUCHES });
  const windowsByType = new Map([...lookbackByType].map(([type, ms]) => [type, windowsWithin(ms)]));
  const otherWindows = windowsWithin(lookback);
  return {
    models: env.MODELS,
    rollups: env.ROLLUPS,
    timeZone: env.REPORT_TIME_ZONE,
    lookbackMs: (type) => lookbackByType.get(type) ?? lookback,
    windows: (type) => windowsByType.get(type) ?? otherWindows,
    lookbacksMs: { '': lookback, ...Object.fromEntries(lookbackByType) },
    retentionMs: { touch, outcome: correction + TOO_LATE_MS, correction },
    // An id forgotten while its event is kept would let a duplicate count twice.
    eventIdMs: Math.max(env.EVENT_ID_DAYS * DAY_MS, touch),
    maxTouches: env.MAX_TOUCHES,
    closing: CLOSING,
    userCacheBytes: env.USER_CACHE_MB * 2 ** 20,
    partBytes: PART_BYTES,
  };
}

/** Whether what arrived then is past its retention when the partition's clock is at `watermark`; all in ms. */
export function isForgotten(arrival: number, watermark: number, retentionMs: number): boolean {
  return watermark - arrival > retentionMs;
}
