-- Decisions in partitions by the month of their conversion, so that a report on some days does not read those of all
-- years. The partition of a table that is there can't change, nor can a replicated one take the name of another, so
-- decisions move into a table of another name. Rows that are moved twice collapse.
DROP VIEW IF EXISTS conversion_decisions_errors_mv;
DROP VIEW IF EXISTS conversion_decisions_mv;

-- The highest version of a key stays. Read it with FINAL. All versions have the time of the conversion, and so are in
-- one partition. In the order of ids: a decision is looked up by its conversion, of which a list has a hundred, each in a
-- granule of its own; so these are small.
CREATE TABLE IF NOT EXISTS decisions_local
(
    conversion_id UUID,
    user_id String,
    conversion_type LowCardinality(String),
    conversion_time DateTime64(3, 'UTC'),
    -- As it was sent.
    value_micros Int64,
    lookback_ms Int64,
    attributed UInt8,
    -- Of decisions of 0.1.0, which have it in place of models and considered: a click under each model.
    candidates Array(Tuple(
        click_id String,
        ad_id String,
        campaign_id String,
        source String,
        -- Milliseconds since 1970-01-01 UTC.
        click_time Int64,
        model String,
        credit_micros Int64,
        reason String
    )),
    version UInt64,
    _partition UInt32,
    _offset UInt64,
    models Array(LowCardinality(String)),
    -- Each click once, with its credit under each of the models and the reason (clickmesh.v1.CandidateReason).
    considered Array(Tuple(
        click_id String,
        ad_id String,
        campaign_id String,
        source String,
        -- Milliseconds since 1970-01-01 UTC.
        click_time Int64,
        credits_micros Array(Int64),
        reasons Array(UInt8)
    )),
    candidates_left_out UInt32,
    truncated UInt8,
    -- What adjustments took of value_micros.
    adjusted_micros Int64,
    refunds_micros Int64,
    retracted UInt8,
    corrections Array(Tuple(
        event_id String,
        kind String,
        value_micros Int64,
        -- Milliseconds since 1970-01-01 UTC.
        timestamp Int64,
        -- clickmesh.v1.CorrectionEffect.
        effect UInt8
    )),
    corrections_left_out UInt32,
    -- The event that caused this version; zero and empty if it is the conversion itself.
    cause_id UUID,
    cause_type LowCardinality(String)
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(conversion_time)
ORDER BY (conversion_id, user_id)
SETTINGS index_granularity = 1024;

CREATE OR REPLACE TABLE conversion_decisions {{distributed decisions_local by sipHash64(conversion_id)}};

-- What servers that are not migrated yet write here would stay behind; refused, they send it again until they are.
ALTER TABLE conversion_decisions_local ADD CONSTRAINT IF NOT EXISTS moved CHECK 0;

INSERT INTO decisions_local
SELECT * FROM conversion_decisions_local
SETTINGS max_partitions_per_insert_block = 0;

CREATE MATERIALIZED VIEW IF NOT EXISTS conversion_decisions_mv TO conversion_decisions AS
SELECT
    toUUIDOrZero(conversion_id) AS conversion_id,
    user_id,
    conversion_type,
    {{ms conversion_time}} AS conversion_time,
    value_micros,
    lookback_ms,
    attributed,
    version,
    candidates_by_model AS candidates,
    models,
    q.candidates AS considered,
    candidates_left_out,
    truncated,
    adjusted_micros,
    refunds_micros,
    retracted,
    corrections,
    corrections_left_out,
    toUUIDOrZero(cause_id) AS cause_id,
    cause_type,
    _partition,
    _offset
FROM conversion_decisions_queue AS q
WHERE _error = '' AND refused = '';

{{errors conversion-decisions}};
