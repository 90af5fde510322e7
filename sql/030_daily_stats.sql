-- Topic daily-stats: cumulative counters, of which the highest version counts.

CREATE TABLE IF NOT EXISTS daily_stats_queue
(
    {{virtual-columns}}
    day Int32,
    campaign_id String,
    source String,
    conversion_type String,
    model String,
    partition UInt32,
    clicks UInt64,
    conversions_micros Int64,
    revenue_micros Int64,
    version UInt64,
    refused String ALIAS if(day >= {{MIN_DAY}} AND day <= {{MAX_DAY}}, '', 'day is not in [2000, 2200]')
)
ENGINE = {{source daily-stats}};

-- Read it with FINAL. The first columns of the sorting key are what reports group by, in that order: the sums are then
-- made while reading, without a hash table. FINAL costs by the rows that more than one part may hold, so parts are
-- merged soon; small granules let a report on one campaign skip the others of a day.
CREATE TABLE IF NOT EXISTS daily_stats_local
(
    day Date32,
    campaign_id LowCardinality(String),
    source LowCardinality(String),
    -- Empty on rows that count clicks, as model.
    conversion_type LowCardinality(String),
    model LowCardinality(String),
    partition UInt32,
    clicks UInt64,
    conversions_micros Int64,
    revenue_micros Int64,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(day)
ORDER BY (day, campaign_id, source, conversion_type, model, partition)
SETTINGS index_granularity = 1024, min_age_to_force_merge_seconds = 30;

-- By campaign: a report on one asks one shard, and a report on all needs no sums of several shards.
CREATE TABLE IF NOT EXISTS daily_stats {{distributed daily_stats_local by sipHash64(campaign_id)}};

CREATE MATERIALIZED VIEW IF NOT EXISTS daily_stats_mv TO daily_stats AS
SELECT
    toDate32(clamp(day, 0, {{MAX_DAY}})) AS day,
    campaign_id,
    source,
    conversion_type,
    model,
    partition,
    clicks,
    conversions_micros,
    revenue_micros,
    version
FROM daily_stats_queue
WHERE _error = '' AND refused = '';

{{errors daily-stats}};
