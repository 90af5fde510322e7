-- Topic conversion-decisions: which clicks were candidates for a conversion, and why each won or lost.

CREATE TABLE IF NOT EXISTS conversion_decisions_queue
(
    {{virtual-columns}}
    conversion_id String,
    user_id String,
    conversion_type String,
    conversion_time Int64,
    value_micros Int64,
    lookback_ms Int64,
    attributed UInt8,
    candidates Array(Tuple(
        click_id String,
        ad_id String,
        campaign_id String,
        source String,
        click_time Int64,
        model String,
        credit_micros Int64,
        reason String
    )),
    version UInt64,
    refused String ALIAS multiIf(
        NOT {{uuid conversion_id}}, 'conversion_id is not a lower-case UUID',
        user_id = '', 'user_id is empty',
        '')
)
ENGINE = {{source conversion-decisions}};

-- The highest version of a key stays. Read it with FINAL.
CREATE TABLE IF NOT EXISTS conversion_decisions_local
(
    conversion_id UUID,
    user_id String,
    conversion_type LowCardinality(String),
    conversion_time DateTime64(3, 'UTC'),
    value_micros Int64,
    lookback_ms Int64,
    attributed UInt8,
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
    _offset UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (conversion_id, user_id);

-- By conversion: a decision is looked up by its conversion, often without its user.
CREATE TABLE IF NOT EXISTS conversion_decisions {{distributed conversion_decisions_local by sipHash64(conversion_id)}};

CREATE MATERIALIZED VIEW IF NOT EXISTS conversion_decisions_mv TO conversion_decisions AS
SELECT
    toUUIDOrZero(conversion_id) AS conversion_id,
    user_id,
    conversion_type,
    {{ms conversion_time}} AS conversion_time,
    value_micros,
    lookback_ms,
    attributed,
    candidates,
    version,
    _partition,
    _offset
FROM conversion_decisions_queue
WHERE _error = '' AND refused = '';

{{errors conversion-decisions}};
