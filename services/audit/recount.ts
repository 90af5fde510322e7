// Attribution again, from the raw events and by another way than the product's. Ids are compared as text, which
// ClickHouse's UUIDs do not sort like.

/**
 * By what they are about, all events of a type that correct others, ascending by time and id: (time, id, kind, value,
 * append time), times in ms.
 */
function corrections(type: 'adjustment' | 'verdict'): string {
  return `
    SELECT user_id, target_id, arraySort(groupArray((toUnixTimestamp64Milli(timestamp), toString(event_id),
      toString(kind), toInt256(value_micros), toUnixTimestamp64Milli(_append_time)))) AS corrections
    FROM events_distributed FINAL
    WHERE event_type = '${type}'
    GROUP BY user_id, target_id`;
}

/**
 * Of a time, that it is in the slice which a query looks at: all time, or less. ClickHouse holds a piece in memory of
 * each part of each month that it reads FINAL.
 */
export function inSlice(time: string): string {
  const of = (ms: string) => `fromUnixTimestamp64Milli({${ms}:Int64}, 'UTC')`;
  return `(${time} >= ${of('slice_from')} AND ${time} < ${of('slice_to')})`;
}

/** Those that did not come too late, nor what they are about. */
const IN_TIME = 'arrayFilter(c -> abs(c.5 - append_ms) <= {adjustment_ms:Int64}, corrections)';

/** Every click, and whether a verdict says that it is not valid. */
export const CLICKS = `
  SELECT click.user_id AS user_id, click_id, ad_id, campaign_id, source, metadata, click_time, partition,
    ${IN_TIME}[-1].3 = 'invalid' AS is_invalid
  FROM (
    SELECT user_id, event_id AS click_id, ad_id, campaign_id, source, metadata, timestamp AS click_time,
      _partition AS partition,
      toUnixTimestamp64Milli(_append_time) AS append_ms
    FROM events_distributed FINAL
    WHERE event_type = 'click'
  ) AS click
  LEFT JOIN (${corrections('verdict')}) AS verdicts
    ON click.user_id = verdicts.user_id AND click.click_id = verdicts.target_id`;

/**
 * Every conversion with what its adjustments leave of it. Of its refunds, those after its last restate take what is
 * left, one after the other.
 */
export const NET_CONVERSIONS = `
  WITH ${IN_TIME} AS adjustments,
    arrayLastIndex(a -> a.3 = 'restate', adjustments) AS restate,
    if(restate = 0, toInt256(value_micros), adjustments[restate].4) AS stated,
    arrayMap(a -> a.4, arrayFilter((a, i) -> a.3 = 'refund' AND i > restate, adjustments, arrayEnumerate(adjustments)))
      AS refunds,
    arrayCumSum(refunds) AS refunded,
    least(arraySum(refunds), stated) AS taken
  SELECT conversion.user_id AS user_id, conversion.conversion_id AS conversion_id, conversion_type, conversion_time,
    partition, value_micros,
    toUInt8(arrayExists(a -> a.3 = 'retract', adjustments)) AS retracted,
    if(retracted, 0, toInt64(stated - taken)) AS net_micros,
    value_micros - net_micros AS adjusted_micros,
    if(retracted, 0, toInt64(taken)) AS refunds_micros,
    if(retracted, 0, arrayCount((value, sum) -> value > 0 AND sum > stated, refunds, refunded)) AS exceeded
  FROM (
    SELECT user_id, event_id AS conversion_id, conversion_type, value_micros, timestamp AS conversion_time,
      _partition AS partition, toUnixTimestamp64Milli(_append_time) AS append_ms
    FROM events_distributed FINAL
    WHERE event_type = 'conversion' AND ${inSlice('timestamp')}
  ) AS conversion
  LEFT JOIN (${corrections('adjustment')}) AS adjusted
    ON conversion.user_id = adjusted.user_id AND conversion.conversion_id = adjusted.target_id`;

/** The lookback window of a conversion, in ms. */
export const LOOKBACK_MS = `{lookbacks_ms:Array(Int64)}[1 + indexOf({conversion_types:Array(String)}, conversion_type)]`;

/** Every conversion with its last click: the last valid one at or before it counts if it is inside the window. */
export const CONVERSIONS = `
  SELECT *, click.1 != '' AND dateDiff('millisecond', click_time, conversion_time) <= ${LOOKBACK_MS} AS attributed
  FROM (${NET_CONVERSIONS}) AS conversion
  ASOF LEFT JOIN (
    SELECT user_id, click_time, max((toString(click_id), ad_id, campaign_id, source)) AS click
    FROM (${CLICKS})
    WHERE NOT is_invalid
    GROUP BY user_id, click_time
  ) AS last_click ON conversion.user_id = last_click.user_id AND conversion.conversion_time >= last_click.click_time`;

/** Weights of the candidates, which ascend by time and id, under each model; those of time_decay are about as large. */
const WEIGHTS: Readonly<Record<string, string>> = {
  last_click: 'arrayMap(i -> i = count, places)',
  first_click: 'arrayMap(i -> i = 1, places)',
  linear: 'arrayMap(i -> 1, places)',
  time_decay: `arrayMap(c -> toInt64(floor(exp2(40 - 4 * (time_ms - c.1) / ${LOOKBACK_MS}) + 0.5)), candidates)`,
  position_based: `arrayMap(i -> multiIf(count <= 2, 1, i = 1 OR i = count, 40 * (count - 2), 20), places)`,
};

/** Models whose shares are computed here. */
const COMPARED = Object.keys(WEIGHTS)
  .map((model) => `'${model}'`)
  .join(', ');

/** Value up to which what weights may differ by in their last digit does not show in a share, in micros. */
const MOST_DECAYED_MICROS = 10_000_000_000;

/** Splits a total by weights into integers: by largest remainder, equal ones to the later candidate. */
function shares(total: string, weights: string, sum: string): string {
  const floors = `arrayMap(w -> intDiv(toInt256(${total}) * w, ${sum}), ${weights})`;
  const remainders = `arrayMap(w -> (toInt256(${total}) * w) % ${sum}, ${weights})`;
  const left = `toUInt32(toInt256(${total}) - arraySum(${floors}))`;
  const first = `arraySlice(arrayReverseSort(p -> (p.1, p.2), arrayZip(${remainders}, places)), 1, ${left})`;
  return `arrayMap((f, i) -> f + has(arrayMap(p -> p.2, ${first}), i), ${floors}, places)`;
}

/**
 * Every credit there should be, by conversion and model: arrays of (click_id, credit, share of the net value, of what
 * adjustments took, of what refunds took), in micros. Only of users with at most MAX_TOUCHES clicks.
 */
export const SHARES = `
  SELECT user_id, conversion_id, model,
    arraySort(arrayFilter(
      s -> s.2 != 0 OR s.3 != 0 OR s.3 + s.4 != 0 OR s.5 != 0,
      arrayMap((c, credit, net, gross, refund) -> (c.2, toInt64(credit), toInt64(net), toInt64(gross - net),
        toInt64(refund)), candidates, credits, nets, grosses, refunds))) AS shares
  FROM (
    SELECT user_id, conversion_id, model, candidates, arrayEnumerate(candidates) AS places,
      arrayMap(w -> toInt256(w), weights) AS exact, arraySum(exact) AS total,
      ${shares('1000000', 'exact', 'total')} AS credits,
      ${shares('net_micros', 'exact', 'total')} AS nets,
      ${shares('value_micros', 'exact', 'total')} AS grosses,
      ${shares('refunds_micros', 'exact', 'total')} AS refunds
    FROM (
      SELECT user_id, conversion_id, conversion_type, value_micros, net_micros, refunds_micros, candidates,
        toUnixTimestamp64Milli(conversion_time) AS time_ms, length(candidates) AS count,
        arrayEnumerate(candidates) AS places, model,
        CAST(multiIf(${Object.entries(WEIGHTS)
          .map(([model, weights]) => `model = '${model}', ${weights}`)
          .join(', ')}, []) AS Array(Int64)) AS weights
      FROM (
        SELECT conversion.*, arrayFilter(c -> c.1 <= toUnixTimestamp64Milli(conversion_time)
          AND c.1 >= toUnixTimestamp64Milli(conversion_time) - ${LOOKBACK_MS}, clicks) AS candidates
        FROM (${NET_CONVERSIONS}) AS conversion
        INNER JOIN (
          SELECT user_id, arraySort(groupArrayIf(
            (toUnixTimestamp64Milli(click_time), toString(click_id)), NOT is_invalid)) AS clicks
          FROM (${CLICKS})
          GROUP BY user_id
          HAVING count() <= {max_touches:UInt32}
        ) AS touched ON conversion.user_id = touched.user_id
      )
      ARRAY JOIN {models:Array(String)} AS model
      WHERE notEmpty(candidates) AND has([${COMPARED}], model) AND (model != 'time_decay' OR
        greatest(value_micros, net_micros) < ${MOST_DECAYED_MICROS})
    )
  )`;

/** The credits there are, as SHARES has them, of the same conversions. */
export const STORED_SHARES = `
  SELECT user_id, conversion_id, model, arraySort(groupArray(
    (toString(click_id), credit_micros, value_micros, adjusted_micros, refunds_micros))) AS shares
  FROM (
    SELECT * FROM attributed_events FINAL
    WHERE has([${COMPARED}], model) AND has({models:Array(String)}, model) AND ${inSlice('conversion_time')}
  ) AS credit
  LEFT JOIN (
    SELECT user_id, true AS is_hot FROM events_distributed FINAL
    WHERE event_type = 'click'
    GROUP BY user_id
    HAVING count() > {max_touches:UInt32}
  ) AS hot ON credit.user_id = hot.user_id
  WHERE NOT is_hot
  GROUP BY user_id, conversion_id, model
  HAVING model != 'time_decay' OR
    greatest(sum(value_micros), sum(value_micros + adjusted_micros)) < ${MOST_DECAYED_MICROS}`;
