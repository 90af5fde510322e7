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
    -- The fields of the case that is not set read as empty strings and zeros, so the cases add up.
    id String ALIAS click_event_id || conversion_event_id,
    user_id String ALIAS click_user_id || conversion_user_id,
    source String ALIAS click_source || conversion_source,
    timestamp_ms Int64 ALIAS click_timestamp + conversion_timestamp,
    texts String ALIAS concatWithSeparator(' ', user_id, click_ad_id, click_campaign_id, conversion_type, source,
        arrayStringConcat(mapKeys(click_metadata), ' '), arrayStringConcat(mapValues(click_metadata), ' ')),
    -- Why the record is refused. The rules are those of event.proto, by which attribution dead-letters the same records
    -- for the same reasons (services/attribution/input/check-event.ts); services/clickhouse/refused.test.ts shows both
    -- the same records. They differ on what no Protobuf library writes: a case or a field twice, of which attribution
    -- takes the last.
    refused String ALIAS multiIf(
        id = '' AND user_id = '' AND timestamp_ms = 0, 'unknown event type',
        NOT isValidUTF8(texts), 'a text is not UTF-8',
        NOT {{uuid id}}, 'event_id is not a lower-case UUID',
        user_id = '', 'user_id is empty',
        click_event_id != '' AND click_ad_id = '', 'ad_id is empty',
        click_event_id != '' AND click_campaign_id = '', 'campaign_id is empty',
        conversion_event_id != '' AND conversion_type = '', 'type is empty',
        source = '', 'source is empty',
        timestamp_ms = 0, 'timestamp is empty',
        timestamp_ms < {{MIN_TIMESTAMP_MS}} OR timestamp_ms > {{MAX_TIMESTAMP_MS}}, 'timestamp is out of range',
        position(user_id, char(0)) > 0, 'user_id contains NUL',
        position(click_ad_id, char(0)) > 0, 'ad_id contains NUL',
        position(click_campaign_id, char(0)) > 0, 'campaign_id contains NUL',
        position(conversion_type, char(0)) > 0, 'type contains NUL',
        position(source, char(0)) > 0, 'source contains NUL',
        length(user_id) > {{MAX_ID_BYTES}}, 'user_id is longer than {{MAX_ID_BYTES}} bytes',
        length(click_ad_id) > {{MAX_ID_BYTES}}, 'ad_id is longer than {{MAX_ID_BYTES}} bytes',
        length(click_campaign_id) > {{MAX_ID_BYTES}}, 'campaign_id is longer than {{MAX_ID_BYTES}} bytes',
        length(conversion_type) > {{MAX_ID_BYTES}}, 'type is longer than {{MAX_ID_BYTES}} bytes',
        length(source) > {{MAX_ID_BYTES}}, 'source is longer than {{MAX_ID_BYTES}} bytes',
        conversion_value_micros < 0 OR conversion_value_micros > {{MAX_VALUE_MICROS}}, 'value_micros is out of range',
        '')
)
ENGINE = {{source raw-events}};

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

-- By user: explaining and recounting attribution reads all events of a user.
CREATE TABLE IF NOT EXISTS events_distributed {{distributed events_local by sipHash64(user_id)}};

CREATE MATERIALIZED VIEW IF NOT EXISTS events_mv TO events_distributed AS
SELECT
    if(click_event_id != '', 'click', 'conversion') AS event_type,
    toUUIDOrZero(id) AS event_id,
    user_id,
    click_ad_id AS ad_id,
    click_campaign_id AS campaign_id,
    source,
    conversion_type,
    conversion_value_micros AS value_micros,
    {{ms timestamp_ms}} AS timestamp,
    click_metadata AS metadata,
    _partition,
    _offset,
    assumeNotNull(_timestamp_ms) AS _append_time
FROM raw_events_queue
WHERE _error = '' AND refused = '';

{{errors raw-events}};
