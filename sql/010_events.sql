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
    conversion_value_micros Int64,
    -- An event's other arm reads as empty strings and zeros, so the arms add up.
    id String ALIAS click_event_id || conversion_event_id,
    user_id String ALIAS click_user_id || conversion_user_id,
    timestamp_ms Int64 ALIAS click_timestamp + conversion_timestamp,
    -- Why the record is refused. The rules are those of attribution, which dead-letters the same records.
    refused String ALIAS multiIf(
        id = '' AND user_id = '' AND timestamp_ms = 0, 'unknown event type',
        NOT match(id, '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'), 'event_id is not a lower-case UUID',
        user_id = '', 'user_id is empty',
        timestamp_ms < 946684800000 OR timestamp_ms > 7258118400000, 'timestamp is out of range',
        position(concatWithSeparator(' ', user_id, click_ad_id, click_campaign_id, click_source, conversion_type), char(0)) > 0, 'an id contains NUL',
        conversion_value_micros < 0 OR conversion_value_micros > 1000000000000000000, 'value_micros is out of range',
        '')
)
ENGINE = {{source raw-events}};

CREATE MATERIALIZED VIEW IF NOT EXISTS raw_events_errors_mv TO ingest_errors AS
SELECT
    'raw-events' AS topic,
    _partition,
    _offset,
    assumeNotNull(_timestamp_ms) AS _append_time,
    if(_error != '', _error, refused) AS error,
    _raw_message AS raw
FROM raw_events_queue
WHERE _error != '' OR refused != '';

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

-- By user: whoever explains or recounts attribution asks for the events of a user.
CREATE TABLE IF NOT EXISTS events_distributed {{distributed events_local by sipHash64(user_id)}};

CREATE MATERIALIZED VIEW IF NOT EXISTS events_mv TO events_distributed AS
SELECT
    if(click_event_id != '', 'click', 'conversion') AS event_type,
    toUUIDOrZero(id) AS event_id,
    user_id,
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
FROM raw_events_queue
WHERE _error = '' AND refused = '';
