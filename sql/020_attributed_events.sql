-- Topic attributed-events: the credit of each click for each conversion, under each attribution model.

CREATE TABLE IF NOT EXISTS attributed_events_queue
(
    {{virtual-columns}}
    conversion_id String,
    click_id String,
    user_id String,
    ad_id String,
    campaign_id String,
    source String,
    conversion_type String,
    click_time Int64,
    conversion_time Int64,
    attribution_window_hours UInt32,
    version UInt64,
    retracted UInt8,
    model String,
    credit_micros Int64,
    value_micros Int64,
    refused String ALIAS multiIf(
        NOT {{uuid conversion_id}}, 'conversion_id is not a lower-case UUID',
        NOT {{uuid click_id}}, 'click_id is not a lower-case UUID',
        user_id = '', 'user_id is empty',
        model = '', 'model is empty',
        '')
)
ENGINE = {{source attributed-events}};

-- The highest version of a key stays; if that one is retracted, the key has no row. Read it with FINAL.
-- An insert makes a part in every partition that it has rows of, and each is synced: by months a backfill of ten years
-- makes 120 of them, by days it would make thousands.
CREATE TABLE IF NOT EXISTS attributed_events_local
(
    conversion_id UUID,
    click_id UUID,
    user_id String,
    ad_id String,
    campaign_id LowCardinality(String),
    source LowCardinality(String),
    conversion_type LowCardinality(String),
    model LowCardinality(String),
    -- 1,000,000 is the whole conversion.
    credit_micros Int64,
    value_micros Int64,
    -- In currency units: exact, computed when it is read.
    value Decimal(38, 6) ALIAS toDecimal128(value_micros, 6) / 1000000,
    click_time DateTime64(3, 'UTC'),
    conversion_time DateTime64(3, 'UTC'),
    attribution_window_hours UInt32,
    version UInt64,
    retracted UInt8,
    _partition UInt32,
    _offset UInt64
)
ENGINE = ReplacingMergeTree(version, retracted)
PARTITION BY toYYYYMM(conversion_time)
ORDER BY (campaign_id, ad_id, conversion_time, user_id, conversion_id, model, click_id);

-- By user, as the events they come from.
CREATE TABLE IF NOT EXISTS attributed_events {{distributed attributed_events_local by sipHash64(user_id)}};

CREATE MATERIALIZED VIEW IF NOT EXISTS attributed_events_mv TO attributed_events AS
SELECT
    toUUIDOrZero(conversion_id) AS conversion_id,
    toUUIDOrZero(click_id) AS click_id,
    user_id,
    ad_id,
    campaign_id,
    source,
    conversion_type,
    model,
    credit_micros,
    value_micros,
    {{ms click_time}} AS click_time,
    {{ms conversion_time}} AS conversion_time,
    attribution_window_hours,
    version,
    retracted,
    _partition,
    _offset
FROM attributed_events_queue
WHERE _error = '' AND refused = '';

{{errors attributed-events}};
