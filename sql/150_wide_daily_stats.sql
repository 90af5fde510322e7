-- Topic daily-stats as 0.2.0 writes it: a record has what all models have of a key. Each model is a row of daily_stats, as
-- it was. Records without models are of clicks alone or, of 0.1.0, of one model or none.

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
    -- This and what is of conversions and revenue: of 0.1.0.
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
    rows Array(Tuple(String, Int64, Int64, Int64, Int64, Int64, Int32, Int32, Int32)) ALIAS if(
        empty(models),
        [(model, conversions_micros, revenue_micros, retracted_micros, adjusted_micros, refunds_micros, revenue_high,
            adjusted_high, refunds_high)],
        models),
    refused String ALIAS if(day >= {{MIN_DAY}} AND day <= {{MAX_DAY}}, '', 'day is not in [2000, 2200]')
)
ENGINE = {{source daily-stats}};

CREATE MATERIALIZED VIEW IF NOT EXISTS daily_stats_mv TO daily_stats AS
SELECT
    toDate32(clamp(day, 0, {{MAX_DAY}})) AS day,
    campaign_id,
    source,
    conversion_type,
    of.1 AS model,
    partition,
    clicks,
    of.2 AS conversions_micros,
    {{int128 of.7 of.3}} AS revenue_micros,
    version,
    invalid_clicks,
    of.4 AS retracted_micros,
    {{int128 of.8 of.5}} AS adjusted_micros,
    {{int128 of.9 of.6}} AS refunds_micros
FROM daily_stats_queue
ARRAY JOIN rows AS of
WHERE _error = '' AND refused = '';

{{errors daily-stats}};
