import { CLICKS, CONVERSIONS, inSlice, NET_CONVERSIONS, SHARES, STORED_SHARES } from './recount.ts';
import {
  ALL_MEASURES,
  DAILY_KEYS,
  DAILY_SUMS,
  dayOf,
  METADATA_SUMS,
  ROLLUP_KEYS,
  ROLLUP_SUMS,
  STORED_ROLLUPS,
} from './rollups.ts';

/**
 * A fact that is known in two ways. They agree if, for each key, both have the same values: a key that only one side
 * has, or has twice, is a difference.
 */
export interface Check {
  /** The statement that holds if both sides agree. */
  name: string;
  keys: readonly string[];
  values: readonly string[];
  /** It can be made of a slice of time, by when conversions happened, or of days: those are keys then. */
  inSlices?: 'of conversions' | 'of days';
  /** Both sides SELECT what is to be added up: values of a key are the sums of its rows; if all are 0, it is none. */
  isOfSums?: true;
  /** SELECTs the keys and values as they should be. */
  expected: string;
  /** The same where rollups are by metadata, which takes longer to look up. */
  expectedByMetadata?: string;
  /** The same, but of the conversions that this is true of, which are beyond a limit, as they are stored. */
  expectedBut?: (limited: string) => string;
  /** SELECTs the keys and values as they are stored. */
  stored: string;
  /** Only holds if last_click is among the models. */
  lastClick?: true;
  /** The limits for which keys may differ: none if undefined. */
  limits?: 'of conversions' | 'of corrections' | 'of rollups';
  /** The values are shares, which more limits hold for. */
  isOfShares?: true;
}

/** Terms of the equation, columns of attribution_progress: what every record became one of. */
export const FATES = [
  ...(['clicks', 'attributed', 'unattributed', 'adjustments', 'verdicts'] as const),
  ...(['click_duplicates', 'conversion_duplicates', 'adjustment_duplicates', 'verdict_duplicates'] as const),
  ...(['too_late', 'dead_lettered'] as const),
];

/**
 * Parameters of the SQL. Offsets stand in the order of the partitions, lookback windows (ms) in the order of the
 * conversion types after the window of every other type.
 */
export interface CheckParameters {
  partitions: number[];
  next_offsets: number[];
  log_ends: number[];
  /** Records that attribution set aside: ClickHouse can read them. */
  set_aside: number[];
  conversion_types: string[];
  lookbacks_ms: number[];
  models: string[];
  /** Zone of the days that counts are by. */
  time_zone: string;
  /** Most clicks of a user that are shared among. */
  max_touches: number;
  /** How far apart a click and a conversion may arrive, and a correction and what it is about, in ms. */
  touch_ms: number;
  adjustment_ms: number;
}

/** Of a query besides: what it looks at, in ms from 1970-01-01 UTC; of slices of days all that may count on these. */
export interface SliceParameters {
  slice_from: number;
  slice_to: number;
}

const IN_SLICE = inSlice('conversion_time');
const CREDITS_OF_LAST_CLICK = `SELECT * FROM attributed_events FINAL WHERE model = 'last_click' AND ${IN_SLICE}`;

/** What adjustments took, columns of decisions and credits. */
const CORRECTED = ['adjusted_micros', 'refunds_micros'];

const COUNTED_OF_CREDITS = `user_id, conversion_id, conversion_time, campaign_id, source, conversion_type, value_micros,
  adjusted_micros, refunds_micros, conversion_retracted`;

/**
 * What should be counted of conversions under last_click; of those that no click is credited with, under no campaign.
 * 0.1.0, whose decisions name no models, did not count those.
 */
const LAST_CLICKS = `
  SELECT ${COUNTED_OF_CREDITS}
  FROM (
    SELECT * REPLACE(net_micros AS value_micros), retracted AS conversion_retracted,
      if(attributed, click.3, '') AS campaign_id, if(attributed, click.4, '') AS source
    FROM (${CONVERSIONS})
  ) AS decided
  LEFT JOIN (
    SELECT user_id, conversion_id, notEmpty(models) AS is_counted FROM conversion_decisions FINAL WHERE ${IN_SLICE}
  ) AS decision
    ON decided.user_id = decision.user_id AND decided.conversion_id = decision.conversion_id
  WHERE attributed OR is_counted`;

/** The same as it is stored. */
const STORED_LAST_CLICKS = `
  SELECT ${COUNTED_OF_CREDITS} FROM (${CREDITS_OF_LAST_CLICK})
  UNION ALL
  SELECT ${COUNTED_OF_CREDITS}
  FROM (
    SELECT * REPLACE(value_micros - adjusted_micros AS value_micros), retracted AS conversion_retracted,
      '' AS campaign_id, '' AS source
    FROM conversion_decisions FINAL
    WHERE NOT attributed AND notEmpty(models) AND ${IN_SLICE}
  )`;

/** What daily_stats should have of all clicks and of these credits, to be added up. */
function recount(credits: string): string {
  return `
    SELECT ${dayOf('click_time')} AS day, campaign_id, source, '' AS conversion_type,
      toInt64(NOT is_invalid) AS clicks, toInt64(is_invalid) AS invalid_clicks, toInt64(0) AS conversions_micros,
      toInt64(0) AS retracted_micros, toInt64(0) AS revenue_micros, toInt64(0) AS adjusted_micros,
      toInt64(0) AS refunds_micros
    FROM (${CLICKS})
    WHERE ${inSlice('click_time')}
    UNION ALL
    SELECT ${dayOf('conversion_time')} AS day, campaign_id, source, conversion_type, 0 AS clicks, 0 AS invalid_clicks,
      if(conversion_retracted, 0, 1000000) AS conversions_micros,
      if(conversion_retracted, 1000000, 0) AS retracted_micros, value_micros AS revenue_micros, adjusted_micros,
      refunds_micros
    FROM (${credits})`;
}

/** Name of the check that tells which conversions are not recounted, as they are beyond a limit. */
export const WINNERS = 'every conversion is credited to its last click';

/** In the order of the path: the first that fails is the nearest to the cause. */
export const CHECKS: readonly Check[] = [
  {
    name: 'attribution has read every partition to its end',
    keys: ['partition'],
    values: ['log_end', 'next_offset'],
    expected: `
      SELECT partition, log_end, next_offset
      FROM (
        SELECT {partitions:Array(UInt32)} AS partition, {log_ends:Array(UInt64)} AS log_end,
          {next_offsets:Array(UInt64)} AS next_offset
      )
      ARRAY JOIN partition, log_end, next_offset
      WHERE log_end > 0`,
    stored:
      'SELECT partition, records AS log_end, records AS next_offset FROM attribution_progress FINAL WHERE records > 0',
  },
  {
    name: 'every record became exactly one thing',
    keys: ['partition'],
    values: ['records'],
    expected: 'SELECT partition, records FROM attribution_progress FINAL',
    stored: `
      SELECT partition, ${FATES.join(' + ')} AS records
      FROM attribution_progress FINAL`,
  },
  {
    name: 'the counters of each partition equal the raw events stored',
    keys: ['partition'],
    values: ['clicks', 'conversions', 'dead_lettered'],
    expected: `
      SELECT _partition AS partition, countIf(event_type = 'click') AS clicks,
        countIf(event_type = 'conversion') AS conversions, countIf(event_type = '') AS dead_lettered
      FROM (
        SELECT _partition, event_type FROM events_distributed FINAL
        UNION ALL
        SELECT _partition, '' AS event_type FROM ingest_errors FINAL WHERE topic = 'raw-events'
        UNION ALL
        SELECT arrayJoin(arrayFlatten(arrayMap(
          (partition, records) -> arrayWithConstant(records, partition),
          {partitions:Array(UInt32)}, {set_aside:Array(UInt64)}
        ))) AS _partition, '' AS event_type
      )
      GROUP BY partition`,
    stored: `
      SELECT partition, clicks, attributed + unattributed AS conversions, dead_lettered
      FROM attribution_progress FINAL
      WHERE clicks + conversions + dead_lettered > 0`,
  },
  {
    name: 'the counters of corrections of each partition equal a recount',
    limits: 'of corrections',
    keys: ['partition'],
    values: ['corrections', 'invalid_clicks', 'exceeded'],
    expected: `
      SELECT partition, sum(is_correction) AS corrections, sum(is_invalid) AS invalid_clicks, sum(beyond) AS exceeded
      FROM (
        SELECT _partition AS partition, 1 AS is_correction, 0 AS is_invalid, 0 AS beyond
        FROM events_distributed FINAL
        WHERE event_type IN ('adjustment', 'verdict')
        UNION ALL
        SELECT partition, 0 AS is_correction, is_invalid, 0 AS beyond FROM (${CLICKS})
        UNION ALL
        SELECT partition, 0 AS is_correction, 0 AS is_invalid, exceeded AS beyond FROM (${NET_CONVERSIONS})
      )
      GROUP BY partition
      HAVING corrections > 0`,
    stored: `
      SELECT partition, adjustments + verdicts + too_late AS corrections, invalid_clicks, exceeded
      FROM attribution_progress FINAL
      WHERE corrections + invalid_clicks + exceeded > 0`,
  },
  {
    name: 'the decisions of each partition that say truncated are counted',
    keys: ['partition'],
    values: ['truncated'],
    expected: `
      SELECT partition, countIf(truncated) AS truncated
      FROM (
        SELECT user_id, event_id AS conversion_id, _partition AS partition
        FROM events_distributed FINAL
        WHERE event_type = 'conversion'
      ) AS conversion
      LEFT JOIN (SELECT user_id, conversion_id, truncated FROM conversion_decisions FINAL) AS decision
        ON conversion.user_id = decision.user_id AND conversion.conversion_id = decision.conversion_id
      GROUP BY partition`,
    stored: 'SELECT partition, truncated FROM attribution_progress FINAL WHERE attributed + unattributed > 0',
  },
  {
    name: 'every conversion has its decision',
    inSlices: 'of conversions',
    limits: 'of conversions',
    keys: ['user_id', 'conversion_id'],
    values: [...['conversion_type', 'conversion_time', 'value_micros', 'attributed'], ...CORRECTED, 'retracted'],
    expected: `SELECT * FROM (${CONVERSIONS})`,
    stored: `SELECT * FROM conversion_decisions FINAL WHERE ${IN_SLICE}`,
  },
  {
    name: WINNERS,
    inSlices: 'of conversions',
    limits: 'of conversions',
    lastClick: true,
    keys: ['user_id', 'conversion_id'],
    values: [
      ...['click_id', 'ad_id', 'campaign_id', 'source', 'conversion_type', 'value_micros', ...CORRECTED],
      'conversion_retracted',
    ],
    expected: `
      SELECT * REPLACE(net_micros AS value_micros), retracted AS conversion_retracted, click.1 AS click_id,
        click.2 AS ad_id, click.3 AS campaign_id, click.4 AS source
      FROM (${CONVERSIONS})
      WHERE attributed`,
    stored: `SELECT * REPLACE toString(click_id) AS click_id FROM (${CREDITS_OF_LAST_CLICK})`,
  },
  {
    name: 'no conversion is attributed twice under last_click',
    inSlices: 'of conversions',
    lastClick: true,
    keys: ['user_id', 'conversion_id'],
    values: ['clicks'],
    expected: `SELECT DISTINCT user_id, conversion_id, toUInt64(1) AS clicks FROM (${CREDITS_OF_LAST_CLICK})`,
    stored: `
      SELECT user_id, conversion_id, count() AS clicks FROM (${CREDITS_OF_LAST_CLICK}) GROUP BY user_id, conversion_id`,
  },
  {
    name: 'the credits of a conversion add up to it, under every model',
    inSlices: 'of conversions',
    limits: 'of conversions',
    keys: ['user_id', 'conversion_id', 'model'],
    values: ['credit_micros', 'value_micros', ...CORRECTED],
    expected: `
      SELECT * REPLACE(net_micros AS value_micros), arrayJoin({models:Array(String)}) AS model,
        toInt64(1000000) AS credit_micros
      FROM (${CONVERSIONS})
      WHERE attributed`,
    stored: `
      SELECT user_id, conversion_id, model, sum(e.credit_micros) AS credit_micros, sum(e.value_micros) AS value_micros,
        sum(e.adjusted_micros) AS adjusted_micros, sum(e.refunds_micros) AS refunds_micros
      FROM attributed_events AS e FINAL
      WHERE ${IN_SLICE}
      GROUP BY user_id, conversion_id, model`,
  },
  {
    name: 'every click has its share of a conversion, to the micro, under every model',
    inSlices: 'of conversions',
    limits: 'of conversions',
    isOfShares: true,
    keys: ['user_id', 'conversion_id', 'model'],
    values: ['shares'],
    expected: SHARES,
    stored: STORED_SHARES,
  },
  {
    name: 'daily_stats under last_click equals a recount of the raw events',
    inSlices: 'of days',
    lastClick: true,
    keys: ['day', 'campaign_id', 'source', 'conversion_type'],
    values: ALL_MEASURES,
    isOfSums: true,
    expected: recount(LAST_CLICKS),
    expectedBut: (limited) =>
      recount(`
        SELECT * FROM (${LAST_CLICKS}) WHERE NOT ${limited}
        UNION ALL
        SELECT * FROM (${STORED_LAST_CLICKS}) WHERE ${limited}`),
    stored: `
      SELECT day, campaign_id, source, conversion_type, ${ALL_MEASURES.join(', ')}
      FROM daily_stats FINAL
      WHERE model IN ('', 'last_click')`,
  },
  {
    name: 'daily_stats equals the sums of clicks, credits and what is unattributed, under every model',
    inSlices: 'of days',
    keys: DAILY_KEYS,
    values: ALL_MEASURES,
    isOfSums: true,
    expected: DAILY_SUMS,
    stored: `SELECT ${[...DAILY_KEYS, ...ALL_MEASURES].join(', ')} FROM daily_stats FINAL`,
  },
  {
    name: 'every other rollup equals the same sums by its dimensions',
    inSlices: 'of days',
    limits: 'of rollups',
    keys: ROLLUP_KEYS,
    values: ALL_MEASURES,
    isOfSums: true,
    expected: ROLLUP_SUMS,
    expectedByMetadata: METADATA_SUMS,
    stored: STORED_ROLLUPS,
  },
];
