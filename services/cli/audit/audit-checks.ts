/**
 * A fact that is known in two ways. They agree if, for each key, both have the same values: a key that only one side
 * has, or has twice, is a difference.
 */
export interface Check {
  /** The statement that holds if both sides agree. */
  name: string;
  keys: readonly string[];
  values: readonly string[];
  /** SELECTs the keys and values as they should be. */
  expected: string;
  /** SELECTs the keys and values as they are stored. */
  stored: string;
  /** Only holds if last_click is among the models. */
  lastClick?: true;
}

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
}

// Attribution again, from the raw events and by another way than the product's: the last click at or before each
// conversion counts if it is inside the window. Ids are compared as text, which ClickHouse's UUIDs do not sort like.
const CONVERSIONS = `
  SELECT *, click.1 != '' AND dateDiff('millisecond', click_time, conversion_time)
    <= {lookbacks_ms:Array(Int64)}[1 + indexOf({conversion_types:Array(String)}, conversion_type)] AS attributed
  FROM (
    SELECT user_id, event_id AS conversion_id, conversion_type, value_micros, timestamp AS conversion_time
    FROM events_distributed FINAL
    WHERE event_type = 'conversion'
  ) AS conversion
  ASOF LEFT JOIN (
    SELECT user_id, timestamp AS click_time, max((toString(event_id), ad_id, campaign_id, source)) AS click
    FROM events_distributed FINAL
    WHERE event_type = 'click'
    GROUP BY user_id, click_time
  ) AS last_click ON conversion.user_id = last_click.user_id AND conversion.conversion_time >= last_click.click_time`;

const CREDITS_OF_LAST_CLICK = "SELECT * FROM attributed_events FINAL WHERE model = 'last_click'";

const IS_COUNTED = 'clicks != 0 OR conversions_micros != 0 OR revenue_micros != 0';

/** As wide as the counters. */
const SUM_OF_VALUES = 'sum(toInt128(value_micros))';

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
      SELECT partition,
        clicks + attributed + unattributed + click_duplicates + conversion_duplicates + dead_lettered AS records
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
    name: 'every conversion has its decision',
    keys: ['user_id', 'conversion_id'],
    values: ['conversion_type', 'conversion_time', 'value_micros', 'attributed'],
    expected: `SELECT * FROM (${CONVERSIONS})`,
    stored: 'SELECT * FROM conversion_decisions FINAL',
  },
  {
    name: 'every conversion is credited to its last click',
    lastClick: true,
    keys: ['user_id', 'conversion_id'],
    values: ['click_id', 'ad_id', 'campaign_id', 'source', 'conversion_type', 'value_micros'],
    expected: `
      SELECT *, click.1 AS click_id, click.2 AS ad_id, click.3 AS campaign_id, click.4 AS source
      FROM (${CONVERSIONS})
      WHERE attributed`,
    stored: `SELECT * REPLACE toString(click_id) AS click_id FROM (${CREDITS_OF_LAST_CLICK})`,
  },
  {
    name: 'no conversion is attributed twice under last_click',
    lastClick: true,
    keys: ['user_id', 'conversion_id'],
    values: ['clicks'],
    expected: `SELECT DISTINCT user_id, conversion_id, toUInt64(1) AS clicks FROM (${CREDITS_OF_LAST_CLICK})`,
    stored: `
      SELECT user_id, conversion_id, count() AS clicks FROM (${CREDITS_OF_LAST_CLICK}) GROUP BY user_id, conversion_id`,
  },
  {
    name: 'the credits of a conversion add up to it, under every model',
    keys: ['user_id', 'conversion_id', 'model'],
    values: ['credit_micros', 'value_micros'],
    expected: `
      SELECT *, arrayJoin({models:Array(String)}) AS model, toInt64(1000000) AS credit_micros
      FROM (${CONVERSIONS})
      WHERE attributed`,
    stored: `
      SELECT user_id, conversion_id, model, sum(e.credit_micros) AS credit_micros, sum(e.value_micros) AS value_micros
      FROM attributed_events AS e FINAL
      GROUP BY user_id, conversion_id, model`,
  },
  {
    name: 'daily_stats under last_click equals a recount of the raw events',
    lastClick: true,
    keys: ['day', 'campaign_id', 'source', 'conversion_type'],
    values: ['clicks', 'conversions_micros', 'revenue_micros'],
    expected: `
      SELECT toDate32(timestamp) AS day, campaign_id, source, '' AS conversion_type,
        toInt64(count()) AS clicks, toInt64(0) AS conversions_micros, toInt64(0) AS revenue_micros
      FROM events_distributed FINAL
      WHERE event_type = 'click'
      GROUP BY day, campaign_id, source
      UNION ALL
      SELECT toDate32(conversion_time) AS day, click.3 AS campaign_id, click.4 AS source, conversion_type,
        toInt64(0) AS clicks, toInt64(1000000 * count()) AS conversions_micros, ${SUM_OF_VALUES} AS revenue_micros
      FROM (${CONVERSIONS})
      WHERE attributed
      GROUP BY day, campaign_id, source, conversion_type`,
    stored: `
      SELECT day, campaign_id, source, conversion_type, toInt64(sum(d.clicks)) AS clicks,
        sum(d.conversions_micros) AS conversions_micros, sum(d.revenue_micros) AS revenue_micros
      FROM daily_stats AS d FINAL
      WHERE model IN ('', 'last_click')
      GROUP BY day, campaign_id, source, conversion_type
      HAVING ${IS_COUNTED}`,
  },
  {
    name: 'daily_stats equals the sums of attributed_events, under every model',
    keys: ['day', 'campaign_id', 'source', 'conversion_type', 'model'],
    values: ['conversions_micros', 'revenue_micros'],
    expected: `
      SELECT toDate32(conversion_time) AS day, campaign_id, source, conversion_type, model,
        sum(credit_micros) AS conversions_micros, ${SUM_OF_VALUES} AS revenue_micros
      FROM attributed_events FINAL
      GROUP BY day, campaign_id, source, conversion_type, model`,
    stored: `
      SELECT day, campaign_id, source, conversion_type, model, sum(d.clicks) AS clicks,
        sum(d.conversions_micros) AS conversions_micros, sum(d.revenue_micros) AS revenue_micros
      FROM daily_stats AS d FINAL
      WHERE model != ''
      GROUP BY day, campaign_id, source, conversion_type, model
      HAVING ${IS_COUNTED}`,
  },
];
