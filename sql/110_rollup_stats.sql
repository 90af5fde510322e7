-- Topic rollup-stats: as daily-stats, by the dimensions of a rollup, and of all models in one row.

CREATE TABLE IF NOT EXISTS rollup_stats_queue
(
    {{virtual-columns}}
    period Int32,
    rollup String,
    values Array(String),
    models Array(Tuple(
        model String,
        conversions_micros Int64,
        revenue_micros Int64,
        retracted_micros Int64,
        adjusted_micros Int64,
        refunds_micros Int64,
        revenue_high Int32,
        adjusted_high Int32,
        refunds_high Int32
    )),
    partition UInt32,
    clicks UInt64,
    version UInt64,
    invalid_clicks UInt64,
    hours Int32 ALIAS if(startsWith(rollup, 'hour:'), period, period * 24),
    refused String ALIAS multiIf(
        NOT startsWith(rollup, 'hour:') AND NOT startsWith(rollup, 'day:'), 'rollup is neither by day nor by hour',
        empty(values) OR length(values) > 4, 'values are none or more than four',
        period < 0 OR hours < {{MIN_DAY}} * 24 OR hours >= ({{MAX_DAY}} + 1) * 24, 'period is not in [2000, 2200]',
        '')
)
ENGINE = {{source rollup-stats}};

-- The dimensions have the values in their order, and empty ones beyond them. What is counted of conversions is an array,
-- each element under the model at its place in `models`, empty for unattributed conversions: so a report reads one row
-- for each key, however many models there are.
CREATE TABLE IF NOT EXISTS rollup_stats_local
(
    rollup LowCardinality(String),
    day Date32,
    -- 0 of rollups by day.
    hour UInt8,
    dimension_1 LowCardinality(String),
    dimension_2 LowCardinality(String),
    dimension_3 LowCardinality(String),
    dimension_4 LowCardinality(String),
    partition UInt32,
    clicks UInt64,
    invalid_clicks UInt64,
    -- Not of LowCardinality: in an array of that, indexOf does not find the empty text.
    models Array(String),
    conversions_micros Array(Int64),
    revenue_micros Array(Int128),
    retracted_micros Array(Int64),
    adjusted_micros Array(Int128),
    refunds_micros Array(Int128),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(day)
ORDER BY (rollup, day, hour, dimension_1, dimension_2, dimension_3, dimension_4, partition)
SETTINGS index_granularity = 1024, min_age_to_force_merge_seconds = 30;

-- By the first dimension: a report on one of its values asks one shard.
CREATE TABLE IF NOT EXISTS rollup_stats {{distributed rollup_stats_local by sipHash64(dimension_1)}};

CREATE MATERIALIZED VIEW IF NOT EXISTS rollup_stats_mv TO rollup_stats AS
SELECT
    rollup,
    toDate32(intDiv(clamp(hours, 0, toInt32({{MAX_DAY}} * 24 + 23)), 24)) AS day,
    toUInt8(modulo(clamp(hours, 0, toInt32({{MAX_DAY}} * 24 + 23)), 24)) AS hour,
    values[1] AS dimension_1,
    values[2] AS dimension_2,
    values[3] AS dimension_3,
    values[4] AS dimension_4,
    partition,
    clicks,
    invalid_clicks,
    q.models.model AS models,
    q.models.conversions_micros AS conversions_micros,
    arrayMap(m -> {{int128 m.revenue_high m.revenue_micros}}, q.models) AS revenue_micros,
    q.models.retracted_micros AS retracted_micros,
    arrayMap(m -> {{int128 m.adjusted_high m.adjusted_micros}}, q.models) AS adjusted_micros,
    arrayMap(m -> {{int128 m.refunds_high m.refunds_micros}}, q.models) AS refunds_micros,
    version
FROM rollup_stats_queue AS q
WHERE _error = '' AND refused = '';

{{errors rollup-stats}};
