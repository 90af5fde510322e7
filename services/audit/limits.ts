import type { Check } from './checks.ts';
import { inSlice, LOOKBACK_MS } from './recount.ts';
import { dayOf } from './rollups.ts';

// A recount knows no limits: it takes every event into account, however late, under the settings of today. What
// attribution promises has limits. A key that differs for one of them is told apart from one that differs for none.

/** Time by which append times, which stand for arrivals here, may differ from them, in ms. */
const SLACK_MS = 60_000;

/** How far apart two events arrived, in ms. */
function apart(a: string, b: string): string {
  return `abs(dateDiff('millisecond', ${a}, ${b}))`;
}

/** SELECTs the append times of all events of a type that correct others, by what they are about. */
function appendTimes(type: 'adjustment' | 'verdict', name: string): string {
  return `
    SELECT user_id, target_id, groupArray(_append_time) AS ${name}
    FROM events_distributed FINAL
    WHERE event_type = '${type}'
    GROUP BY user_id, target_id`;
}

/** SELECTs keys that differ with the limit that each is beyond, '' if none; by what the check says of its limits. */
export function withLimits(check: Check, differences: string): string {
  switch (check.limits) {
    case 'of conversions':
      return withLimitsOfConversions(check, differences);
    case 'of corrections':
      return withLimitsOfCorrections(differences);
    case 'of rollups':
      return withLimitsOfRollups(check, differences);
    case undefined:
      return `SELECT *, '' AS limit FROM (${differences})`;
  }
}

/** Corrections that come too late are not counted as what they are, and some of them twice. */
function withLimitsOfCorrections(differences: string): string {
  return `
    SELECT differs.partition AS partition, expected, stored, if(too_late > 0, 'too late', '') AS limit
    FROM (${differences}) AS differs
    LEFT JOIN (SELECT partition, too_late FROM attribution_progress FINAL) AS progress
      ON differs.partition = progress.partition`;
}

/** SELECTs what counts, when, and where it is in the log: clicks, conversions, and the clicks that these are of. */
const COUNTED_EVENTS = `
  SELECT timestamp AS time, _partition AS partition, _offset AS offset, false AS is_credit
  FROM events_distributed FINAL
  WHERE event_type IN ('click', 'conversion') AND ${inSlice('timestamp')}
  UNION ALL
  SELECT conversion_time AS time, partition, offset, true AS is_credit
  FROM (
    SELECT user_id, click_id, conversion_time FROM attributed_events FINAL WHERE ${inSlice('conversion_time')}
  ) AS credit
  INNER JOIN (
    SELECT user_id, event_id AS click_id, _partition AS partition, _offset AS offset
    FROM events_distributed FINAL
    WHERE event_type = 'click'
  ) AS click ON credit.user_id = click.user_id AND credit.click_id = click.click_id`;

/**
 * A partition counts a rollup from the record on with which it notes so, whose offset is the version, until it notes an
 * end. What counts, and what is corrected later, counts in the period of its click or conversion. So until there is an
 * end, only a period that has one of these from before may differ; by metadata, also one that has conversions credited
 * to clicks from before, which are kept without it.
 */
function withLimitsOfRollups({ keys }: Check, differences: string): string {
  const own = keys.map((key) => `differs.${key} AS ${key}`).join(', ');
  const begins = 'if(has(partitions, p.1), versions[indexOf(partitions, p.1)], 18446744073709551615)';
  return `
    SELECT ${own}, expected, stored,
      if(is_ended OR (notEmpty(partitions) AND arrayExists(p -> p.2 < ${begins}, firsts)), 'not counted then', '')
        AS limit
    FROM (
      SELECT *, startsWith(rollup, 'hour:') AS is_by_hour, position(rollup, 'metadata.') > 0 AS is_by_metadata
      FROM (${differences})
    ) AS differs
    LEFT JOIN (
      SELECT name, groupArray(partition) AS partitions, groupArray(version) AS versions, max(until) != 0 AS is_ended
      FROM attribution_settings FINAL
      WHERE kind = 'rollup'
      GROUP BY name
    ) AS setting ON differs.rollup = setting.name
    LEFT JOIN (
      SELECT is_by_metadata, is_by_hour, day, hour, groupArray((partition, first)) AS firsts
      FROM (
        SELECT arrayJoin(if(is_credit, [true], [false, true])) AS is_by_metadata, arrayJoin([false, true]) AS is_by_hour,
          if(is_by_hour, toDate32(time), ${dayOf('time')}) AS day, if(is_by_hour, toHour(time), 0) AS hour, partition,
          min(offset) AS first
        FROM (${COUNTED_EVENTS})
        GROUP BY is_by_metadata, is_by_hour, day, hour, partition
      )
      GROUP BY is_by_metadata, is_by_hour, day, hour
    ) AS period ON differs.is_by_metadata = period.is_by_metadata AND differs.is_by_hour = period.is_by_hour
      AND differs.day = period.day AND differs.hour = period.hour`;
}

/** Decisions are as they were made: with the models and the lookback window of then, of what had come in time. */
function withLimitsOfConversions({ keys, isOfShares }: Check, differences: string): string {
  const model = keys.includes('model') ? 'model' : "'last_click'";
  const own = keys.map((key) => `differs.${key} AS ${key}`).join(', ');
  const limits = [
    `is_decided AND decided_lookback_ms != ${LOOKBACK_MS}, 'another lookback window then'`,
    `is_decided AND has(decided_models, ${model}) != has({models:Array(String)}, ${model}), 'other models then'`,
    isOfShares ? "is_decided AND empty(models), 'shared by 0.1.0'" : '',
    isOfShares ? "truncated, 'more clicks than MAX_TOUCHES'" : '',
    "is_late, 'too late'",
  ];
  return `
    SELECT ${keys.join(', ')}, expected, stored, multiIf(${limits.filter(Boolean).join(', ')}, '') AS limit
    FROM (
      SELECT ${own}, expected, stored, conversion_type, version > 0 AS is_decided, truncated, models, decided_lookback_ms,
        if(notEmpty(models), models, arrayDistinct(arrayMap(c -> c.model, candidates))) AS decided_models,
        arrayExists(append -> ${apart('append', 'conversion_append')} > {adjustment_ms:Int64} - ${SLACK_MS}, adjusted)
          OR arrayExists(c -> c.1 <= conversion_time AND ${apart('c.1', 'conversion_time')} <= ${LOOKBACK_MS}
            AND (${apart('c.2', 'conversion_append')} > {touch_ms:Int64} - ${SLACK_MS} OR c.3), clicks) AS is_late
      FROM (${differences}) AS differs
      LEFT JOIN (
        SELECT user_id, event_id AS conversion_id, conversion_type, timestamp AS conversion_time,
          _append_time AS conversion_append
        FROM events_distributed FINAL
        WHERE event_type = 'conversion'
      ) AS conversion ON differs.user_id = conversion.user_id AND differs.conversion_id = conversion.conversion_id
      LEFT JOIN (
        SELECT user_id, conversion_id, models, candidates, lookback_ms AS decided_lookback_ms, truncated, version
        FROM conversion_decisions FINAL
        WHERE ${inSlice('conversion_time')}
      ) AS decision ON differs.user_id = decision.user_id AND differs.conversion_id = decision.conversion_id
      LEFT JOIN (
        ${appendTimes('adjustment', 'adjusted')}
      ) AS adjustment ON differs.user_id = adjustment.user_id AND differs.conversion_id = adjustment.target_id
      LEFT JOIN (
        SELECT user_id, groupArray((click_time, click_append, is_late)) AS clicks
        FROM (
          SELECT user_id, click_time, click_append,
            arrayExists(append -> ${apart('append', 'click_append')} > {adjustment_ms:Int64} - ${SLACK_MS}, verdicts)
              AS is_late
          FROM (
            SELECT user_id, event_id AS click_id, timestamp AS click_time, _append_time AS click_append
            FROM events_distributed FINAL
            WHERE event_type = 'click'
          ) AS click
          LEFT JOIN (
            ${appendTimes('verdict', 'verdicts')}
          ) AS verdict ON click.user_id = verdict.user_id AND click.click_id = verdict.target_id
        )
        GROUP BY user_id
      ) AS touched ON differs.user_id = touched.user_id
    )`;
}
