-- Topic raw-events: every event as it came, once.

CREATE TABLE IF NOT EXISTS raw_events_queue
(
    {{virtual-columns}}
    click_event_id String,
    click_user_id String,
    click_ad_id String,
    click_campaign_id String,
    click_source String,
    click_timestamp Int64,
    click_metadata Map(String, String),
    conversion_event_id String,
    conversion_user_id String,
    conversion_type String,
    conversion_source String,
    conversion_timestamp Int64,
    conversion_value_micros Int64
)
ENGINE = {{source raw-events}};

-- Stores nothing: says of each record why it is refused. The rules are those of attribution, which dead-letters the
-- same records. An event's other arm reads as empty strings and zeros, so the arms add up.
CREATE TABLE IF NOT EXISTS raw_events_checked
(
    refused String,
    raw String,
    event_type LowCardinality(String),
    event_id UUID,
    user_id String,
    ad_id String,
    campaign_id LowCardinality(String),
    source LowCardinality(String),
    conversion_type LowCardinality(String),
    value_micros Int64,
    timestamp DateTime64(3, 'UTC'),
    metadata Map(String, String),
    _partition UInt32,
    _offset UInt64,
    _append_time DateTime64(3, 'UTC')
)
ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS raw_events_checked_mv TO raw_events_checked AS
WITH
    click_event_id || conversion_event_id AS id,
    click_timestamp + conversion_timestamp AS timestamp_ms
SELECT
    multiIf(
        _error != '', _error,
        id = '' AND user_id = '' AND timestamp_ms = 0, 'unknown event type',
        NOT match(id, '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'), 'event_id is not a lower-case UUID',
        user_id = '', 'user_id is empty',
        timestamp_ms < 946684800000 OR timestamp_ms > 7258118400000, 'timestamp is out of range',
        position(concatWithSeparator(' ', user_id, ad_id, campaign_id, click_source, conversion_type), char(0)) > 0, 'an id contains NUL',
        value_micros < 0 OR value_micros > 1000000000000000000, 'value_micros is out of range',
        '') AS refused,
    _raw_message AS raw,
    if(click_event_id != '', 'click', 'conversion') AS event_type,
    toUUIDOrZero(id) AS event_id,
    click_user_id || conversion_user_id AS user_id,
    click_ad_id AS ad_id,
    click_campaign_id AS campaign_id,
    click_source || conversion_source AS source,
    conversion_type,
    conversion_value_micros AS value_micros,
    fromUnixTimestamp64Milli(clamp(timestamp_ms, 0, 7258118400000), 'UTC') AS timestamp,
    click_metadata AS metadata,
    _partition,
    _offset,
    assumeNotNull(_timestamp_ms) AS _append_time
FROM raw_events_queue;

CREATE MATERIALIZED VIEW IF NOT EXISTS raw_events_errors_mv TO ingest_errors AS
SELECT 'raw-events' AS topic, _partition, _offset, _append_time, refused AS error, raw
FROM raw_events_checked
WHERE refused != '';

-- The first arrival of an event stays: versions fall as offsets rise, and all events of a user are in one partition.
CREATE TABLE IF NOT EXISTS events_local
(
    event_type LowCardinality(String),
    event_id UUID,
    user_id String,
    -- Empty on conversions, as campaign_id and metadata.
    ad_id String,
    campaign_id LowCardinality(String),
    source LowCardinality(String),
    -- Empty on clicks, where value_micros is 0.
    conversion_type LowCardinality(String),
    value_micros Int64,
    timestamp DateTime64(3, 'UTC'),
    metadata Map(String, String),
    _partition UInt32,
    _offset UInt64,
    _append_time DateTime64(3, 'UTC'),
    _version UInt64 MATERIALIZED bitNot(_offset)
)
ENGINE = ReplacingMergeTree(_version)
ORDER BY (user_id, event_type, event_id);

CREATE MATERIALIZED VIEW IF NOT EXISTS events_mv TO events_local AS
SELECT * EXCEPT (refused, raw)
FROM raw_events_checked
WHERE refused = '';

-- Every event once, whichever server holds it: on one server there is nothing to distribute.
CREATE VIEW IF NOT EXISTS events_distributed AS
SELECT * FROM events_local FINAL;
