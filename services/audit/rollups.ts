import { CLICKS, inSlice } from './recount.ts';

// What stats are sums of: clicks as they are now, and the credits and decisions that are stored, which other checks
// compare with the raw events.

/** The day that a time counts on, by ClickHouse's own knowledge of the zone. Days begin with 2000-01-01. */
export function dayOf(time: string): string {
  return `greatest(toDate32(toTimeZone(${time}, {time_zone:String})), toDate32('2000-01-01'))`;
}

const COUNTS = ['clicks', 'invalid_clicks'];
const MEASURES = ['conversions_micros', 'retracted_micros', 'revenue_micros', 'adjusted_micros', 'refunds_micros'];
export const ALL_MEASURES = [...COUNTS, ...MEASURES];

/** Credits with the metadata of their clicks. */
const CREDITS_WITH_METADATA = `
  SELECT credit.*, metadata
  FROM (SELECT * FROM attributed_events FINAL WHERE ${inSlice('conversion_time')}) AS credit
  LEFT JOIN (SELECT user_id, click_id, metadata FROM (${CLICKS})) AS click
    ON credit.user_id = click.user_id AND credit.click_id = click.click_id`;

/**
 * What counts, a row each: every click; every credit, under its model; and every conversion that no click is credited
 * for, of no click and under no model. 0.1.0, whose decisions name no models, did not count the latter.
 */
function counted(byMetadata: boolean): string {
  const [metadata, none] = byMetadata ? [', metadata', ", map('', '') AS metadata"] : ['', ''];
  return `
  SELECT click_time AS time, campaign_id, ad_id, source${metadata}, '' AS conversion_type, '' AS model,
    toInt64(NOT is_invalid) AS clicks, toInt64(is_invalid) AS invalid_clicks, toInt64(0) AS conversions_micros,
    toInt64(0) AS retracted_micros, toInt64(0) AS revenue_micros, toInt64(0) AS adjusted_micros,
    toInt64(0) AS refunds_micros
  FROM (${CLICKS})
  WHERE ${inSlice('click_time')}
  UNION ALL
  SELECT conversion_time AS time, campaign_id, ad_id, source${metadata}, conversion_type, model,
    0 AS clicks, 0 AS invalid_clicks,
    if(conversion_retracted, 0, credit_micros) AS conversions_micros,
    if(conversion_retracted, credit_micros, 0) AS retracted_micros, value_micros AS revenue_micros, adjusted_micros,
    refunds_micros
  FROM ${byMetadata ? `(${CREDITS_WITH_METADATA})` : 'attributed_events FINAL'}
  WHERE ${inSlice('conversion_time')}
  UNION ALL
  SELECT conversion_time AS time, '' AS campaign_id, '' AS ad_id, '' AS source${none}, conversion_type, '' AS model,
    0 AS clicks, 0 AS invalid_clicks, if(retracted, 0, 1000000) AS conversions_micros,
    if(retracted, 1000000, 0) AS retracted_micros, value_micros - adjusted_micros AS revenue_micros, adjusted_micros,
    refunds_micros
  FROM conversion_decisions FINAL
  WHERE NOT attributed AND notEmpty(models) AND ${inSlice('conversion_time')}`;
}

export const DAILY_KEYS = ['day', 'campaign_id', 'source', 'conversion_type', 'model'];

/** What daily_stats should have, to be added up. */
export const DAILY_SUMS = `
  SELECT ${dayOf('time')} AS day, campaign_id, source, conversion_type, model, ${ALL_MEASURES.join(', ')}
  FROM (${counted(false)})`;

const VALUES = ['dimension_1', 'dimension_2', 'dimension_3', 'dimension_4'];
/** Not the rollup first: ClickHouse takes `GROUP BY rollup` for its modifier. */
const KEYS_OF_ROW = ['day', 'hour', 'rollup', ...VALUES].join(', ');
export const ROLLUP_KEYS = ['day', 'hour', 'rollup', ...VALUES, 'model'];

/** Names of all rollups that there are counters of, or should be. */
const ROLLUPS = `
  SELECT groupUniqArray(toString(rollup))
  FROM (
    SELECT rollup FROM rollup_stats
    UNION ALL
    SELECT name AS rollup FROM attribution_settings WHERE kind = 'rollup'
  )`;

/** SELECTs a row if a rollup is by metadata. */
export const BY_METADATA = `SELECT 1 WHERE arrayExists(name -> position(name, 'metadata.') > 0, (${ROLLUPS}))`;

/** What rollup_stats should have, to be added up, by what the names of the rollups say: `hour:source,campaign_id`. */
function rollupSums(byMetadata: boolean): string {
  const field = "texts[indexOf(['campaign_id', 'ad_id', 'source', 'conversion_type'], d)]";
  const value = byMetadata ? `if(startsWith(d, 'metadata.'), ${metadataText('substring(d, 10)')}, ${field})` : field;
  return `
  SELECT rollup, day, hour, ${VALUES.map((name, i) => `values[${i + 1}] AS ${name}`).join(', ')}, model,
    ${ALL_MEASURES.join(', ')}
  FROM (
    SELECT *, arrayJoin((${ROLLUPS})) AS rollup, splitByChar(',', splitByChar(':', rollup)[2]) AS dimensions,
      if(startsWith(rollup, 'hour:'), toDate32(time), ${dayOf('time')}) AS day,
      if(startsWith(rollup, 'hour:'), toHour(time), 0) AS hour,
      [toString(campaign_id), ad_id, toString(source), toString(conversion_type)] AS texts,
      arrayMap(d -> ${value}, dimensions) AS values
    FROM (${counted(byMetadata)})
  )`;
}

/** What metadata counts as, under a key. */
function metadataText(key: string): string {
  const value = `metadata[${key}]`;
  return `multiIf(position(${value}, char(0)) > 0, '', length(${value}) > 128, '(longer than 128 bytes)', ${value})`;
}

export const ROLLUP_SUMS = rollupSums(false);
/** The same where rollups are by metadata. */
export const METADATA_SUMS = rollupSums(true);

/** What it has. Clicks of a row are under no model, as in `counted`; then what its models have. */
export const STORED_ROLLUPS = `
  SELECT ${KEYS_OF_ROW}, '' AS model, toInt64(clicks) AS clicks, toInt64(invalid_clicks) AS invalid_clicks,
    ${MEASURES.map((measure) => `toInt64(0) AS ${measure}`).join(', ')}
  FROM rollup_stats FINAL
  UNION ALL
  SELECT ${KEYS_OF_ROW}, of.1 AS model, 0 AS clicks, 0 AS invalid_clicks,
    ${MEASURES.map((measure, i) => `of.${i + 2} AS ${measure}`).join(', ')}
  FROM (
    SELECT ${KEYS_OF_ROW}, arrayJoin(arrayZip(models, ${MEASURES.join(', ')})) AS of
    FROM rollup_stats FINAL
  )`;
