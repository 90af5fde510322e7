-- Topics attributed-events, conversion-decisions and attribution-progress with what adjustments and verdicts change. In
-- rows of 0.1.0 the new columns have the values that say that there were none.

DROP VIEW IF EXISTS attributed_events_errors_mv;
DROP VIEW IF EXISTS attributed_events_mv;
DROP TABLE IF EXISTS attributed_events_queue;

ALTER TABLE attributed_events_local
    -- What adjustments took of the credited share of the value as it was sent: value_micros is the rest.
    ADD COLUMN IF NOT EXISTS adjusted_micros Int64 AFTER value_micros,
    ADD COLUMN IF NOT EXISTS refunds_micros Int64 AFTER adjusted_micros,
    ADD COLUMN IF NOT EXISTS conversion_retracted UInt8 AFTER refunds_micros,
    -- The event that caused this version; zero and empty if it is the conversion itself.
    ADD COLUMN IF NOT EXISTS cause_id UUID AFTER retracted,
    ADD COLUMN IF NOT EXISTS cause_type LowCardinality(String) AFTER cause_id;

CREATE OR REPLACE TABLE attributed_events {{distributed attributed_events_local by sipHash64(user_id)}};

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
    adjusted_micros Int64,
    refunds_micros Int64,
    conversion_retracted UInt8,
    cause_id String,
    cause_type String,
    refused String ALIAS multiIf(
        NOT {{uuid conversion_id}}, 'conversion_id is not a lower-case UUID',
        NOT {{uuid click_id}}, 'click_id is not a lower-case UUID',
        user_id = '', 'user_id is empty',
        model = '', 'model is empty',
        '')
)
ENGINE = {{source attributed-events}};

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
    adjusted_micros,
    refunds_micros,
    conversion_retracted,
    {{ms click_time}} AS click_time,
    {{ms conversion_time}} AS conversion_time,
    attribution_window_hours,
    version,
    retracted,
    toUUIDOrZero(cause_id) AS cause_id,
    cause_type,
    _partition,
    _offset
FROM attributed_events_queue
WHERE _error = '' AND refused = '';

{{errors attributed-events}};

DROP VIEW IF EXISTS conversion_decisions_errors_mv;
DROP VIEW IF EXISTS conversion_decisions_mv;
DROP TABLE IF EXISTS conversion_decisions_queue;

ALTER TABLE conversion_decisions_local
    ADD COLUMN IF NOT EXISTS models Array(LowCardinality(String)),
    -- Each click once, with its credit under each of the models and the reason (clickmesh.v1.CandidateReason). Empty in
    -- decisions of 0.1.0, which have candidates in its place, each under one model.
    ADD COLUMN IF NOT EXISTS considered Array(Tuple(
        click_id String,
        ad_id String,
        campaign_id String,
        source String,
        -- Milliseconds since 1970-01-01 UTC.
        click_time Int64,
        credits_micros Array(Int64),
        reasons Array(UInt8)
    )),
    ADD COLUMN IF NOT EXISTS candidates_left_out UInt32,
    ADD COLUMN IF NOT EXISTS truncated UInt8,
    -- What adjustments took of value_micros, which is the value as it was sent.
    ADD COLUMN IF NOT EXISTS adjusted_micros Int64,
    ADD COLUMN IF NOT EXISTS refunds_micros Int64,
    ADD COLUMN IF NOT EXISTS retracted UInt8,
    ADD COLUMN IF NOT EXISTS corrections Array(Tuple(
        event_id String,
        kind String,
        value_micros Int64,
        -- Milliseconds since 1970-01-01 UTC.
        timestamp Int64,
        -- clickmesh.v1.CorrectionEffect.
        effect UInt8
    )),
    ADD COLUMN IF NOT EXISTS corrections_left_out UInt32,
    -- The event that caused this version; zero and empty if it is the conversion itself.
    ADD COLUMN IF NOT EXISTS cause_id UUID,
    ADD COLUMN IF NOT EXISTS cause_type LowCardinality(String);

CREATE OR REPLACE TABLE conversion_decisions {{distributed conversion_decisions_local by sipHash64(conversion_id)}};

-- Numbers for reasons and effects: a name that a later build adds would not be readable, its number is.
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
    -- What 0.1.0 wrote in place of models and candidates.
    candidates_by_model Array(Tuple(
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
    models Array(String),
    candidates Array(Tuple(
        click_id String,
        ad_id String,
        campaign_id String,
        source String,
        click_time Int64,
        credits_micros Array(Int64),
        reasons Array(UInt8)
    )),
    candidates_left_out UInt32,
    truncated UInt8,
    adjusted_micros Int64,
    refunds_micros Int64,
    retracted UInt8,
    corrections Array(Tuple(
        event_id String,
        kind String,
        value_micros Int64,
        timestamp Int64,
        effect UInt8
    )),
    corrections_left_out UInt32,
    cause_id String,
    cause_type String,
    refused String ALIAS multiIf(
        NOT {{uuid conversion_id}}, 'conversion_id is not a lower-case UUID',
        user_id = '', 'user_id is empty',
        '')
)
ENGINE = {{source conversion-decisions}};

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

DROP VIEW IF EXISTS attribution_progress_errors_mv;
DROP VIEW IF EXISTS attribution_progress_mv;
DROP TABLE IF EXISTS attribution_progress_queue;

ALTER TABLE attribution_progress_local
    ADD COLUMN IF NOT EXISTS adjustments UInt64,
    ADD COLUMN IF NOT EXISTS verdicts UInt64,
    ADD COLUMN IF NOT EXISTS adjustment_duplicates UInt64,
    ADD COLUMN IF NOT EXISTS verdict_duplicates UInt64,
    ADD COLUMN IF NOT EXISTS too_late UInt64,
    ADD COLUMN IF NOT EXISTS waiting UInt64,
    ADD COLUMN IF NOT EXISTS invalid_clicks UInt64,
    ADD COLUMN IF NOT EXISTS exceeded UInt64,
    ADD COLUMN IF NOT EXISTS truncated UInt64;

CREATE OR REPLACE TABLE attribution_progress {{distributed attribution_progress_local by partition}};

CREATE TABLE IF NOT EXISTS attribution_progress_queue
(
    {{virtual-columns}}
    partition UInt32,
    records UInt64,
    clicks UInt64,
    attributed UInt64,
    unattributed UInt64,
    click_duplicates UInt64,
    conversion_duplicates UInt64,
    dead_lettered UInt64,
    conflicts UInt64,
    corrections UInt64,
    touches_dropped UInt64,
    watermark Int64,
    version UInt64,
    adjustments UInt64,
    verdicts UInt64,
    adjustment_duplicates UInt64,
    verdict_duplicates UInt64,
    too_late UInt64,
    waiting UInt64,
    invalid_clicks UInt64,
    exceeded UInt64,
    truncated UInt64,
    refused String ALIAS if(records = 0, 'records is 0', '')
)
ENGINE = {{source attribution-progress}};

CREATE MATERIALIZED VIEW IF NOT EXISTS attribution_progress_mv TO attribution_progress AS
SELECT
    partition,
    records,
    clicks,
    attributed,
    unattributed,
    click_duplicates,
    conversion_duplicates,
    dead_lettered,
    conflicts,
    corrections,
    touches_dropped,
    {{ms watermark}} AS watermark,
    version,
    adjustments,
    verdicts,
    adjustment_duplicates,
    verdict_duplicates,
    too_late,
    waiting,
    invalid_clicks,
    exceeded,
    truncated
FROM attribution_progress_queue
WHERE _error = '' AND refused = '';

{{errors attribution-progress}};
