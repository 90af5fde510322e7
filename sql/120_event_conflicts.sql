-- Topic event-conflicts: events that came again under their event_id with other content, and were not kept.

CREATE TABLE IF NOT EXISTS event_conflicts_queue
(
    {{virtual-columns}}
    event_type String,
    event_id String,
    user_id String,
    timestamp Int64,
    ad_id String,
    campaign_id String,
    source String,
    conversion_type String,
    value_micros Int64,
    version UInt64,
    target_id String,
    kind String,
    refused String ALIAS multiIf(
        NOT {{uuid event_id}}, 'event_id is not a lower-case UUID',
        user_id = '', 'user_id is empty',
        event_type = '', 'event_type is empty',
        '')
)
ENGINE = {{source event-conflicts}};

-- A row for each event that was not kept; what was kept is in events. Forgotten after a while: a client that sends all
-- its events again, each a little other, would fill it.
CREATE TABLE IF NOT EXISTS event_conflicts_local
(
    event_type LowCardinality(String),
    event_id UUID,
    user_id String,
    timestamp DateTime64(3, 'UTC'),
    ad_id String,
    campaign_id LowCardinality(String),
    source LowCardinality(String),
    conversion_type LowCardinality(String),
    value_micros Int64,
    -- As in events.
    target_id UUID,
    kind LowCardinality(String),
    version UInt64,
    _partition UInt32,
    _append_time DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (user_id, event_type, event_id, version)
TTL toDateTime(_append_time) + INTERVAL 90 DAY;

-- By user, as the events.
CREATE TABLE IF NOT EXISTS event_conflicts {{distributed event_conflicts_local by sipHash64(user_id)}};

CREATE MATERIALIZED VIEW IF NOT EXISTS event_conflicts_mv TO event_conflicts AS
SELECT
    event_type,
    toUUIDOrZero(event_id) AS event_id,
    user_id,
    {{ms timestamp}} AS timestamp,
    ad_id,
    campaign_id,
    source,
    conversion_type,
    value_micros,
    toUUIDOrZero(target_id) AS target_id,
    kind,
    version,
    _partition,
    assumeNotNull(_timestamp_ms) AS _append_time
FROM event_conflicts_queue
WHERE _error = '' AND refused = '';

{{errors event-conflicts}};
