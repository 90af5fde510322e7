-- Topic daily-stats with what was taken back, and with revenue beyond 64 bits. Rows stored stay as they are.
DROP VIEW IF EXISTS daily_stats_errors_mv;
DROP VIEW IF EXISTS daily_stats_mv;
DROP TABLE IF EXISTS daily_stats_queue;

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
    invalid_clicks UInt64,
    retracted_micros Int64,
    adjusted_micros Int64,
    refunds_micros Int64,
    revenue_high Int32,
    adjusted_high Int32,
    refunds_high Int32,
    refused String ALIAS if(day >= {{MIN_DAY}} AND day <= {{MAX_DAY}}, '', 'day is not in [2000, 2200]')
)
ENGINE = {{source daily-stats}};

-- Unattributed conversions have an empty campaign_id, source and model.
ALTER TABLE daily_stats_local
    MODIFY COLUMN revenue_micros Int128,
    ADD COLUMN IF NOT EXISTS invalid_clicks UInt64,
    ADD COLUMN IF NOT EXISTS retracted_micros Int64,
    ADD COLUMN IF NOT EXISTS adjusted_micros Int128,
    ADD COLUMN IF NOT EXISTS refunds_micros Int128;

DROP TABLE IF EXISTS daily_stats;

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
    {{int128 revenue_high daily_stats_queue.revenue_micros}} AS revenue_micros,
    version,
    invalid_clicks,
    retracted_micros,
    {{int128 adjusted_high daily_stats_queue.adjusted_micros}} AS adjusted_micros,
    {{int128 refunds_high daily_stats_queue.refunds_micros}} AS refunds_micros
FROM daily_stats_queue
WHERE _error = '' AND refused = '';

{{errors daily-stats}};
