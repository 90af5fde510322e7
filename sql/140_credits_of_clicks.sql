-- Topic attributed-events as 0.2.0 writes it: what clicks have of a conversion under all of its models. Each click and
-- model is a row of attributed_events, as it was. Records of 0.1.0 are of one click and model.

DROP VIEW IF EXISTS attributed_events_errors_mv;
DROP VIEW IF EXISTS attributed_events_mv;
DROP TABLE IF EXISTS attributed_events_queue;

CREATE TABLE IF NOT EXISTS attributed_events_queue
(
    {{virtual-columns}}
    conversion_id String,
    -- Of 0.1.0.
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
    -- Of 0.1.0.
    retracted UInt8,
    model String,
    credit_micros Int64,
    value_micros Int64,
    adjusted_micros Int64,
    refunds_micros Int64,
    conversion_retracted UInt8,
    cause_id String,
    cause_type String,
    models Array(String),
    -- Amounts are in the order of the models; those that are not there are 0.
    clicks Array(Tuple(
        click_id String,
        ad_id String,
        campaign_id String,
        source String,
        click_time Int64,
        credits_micros Array(Int64),
        values_micros Array(Int64),
        adjusted_micros Array(Int64),
        refunds_micros Array(Int64)
    )),
    refused String ALIAS multiIf(
        NOT {{uuid conversion_id}}, 'conversion_id is not a lower-case UUID',
        model != '' AND NOT {{uuid click_id}}, 'click_id is not a lower-case UUID',
        arrayExists(c -> NOT {{uuid c.1}}, clicks), 'click_id of a click is not a lower-case UUID',
        user_id = '', 'user_id is empty',
        model = '' AND empty(models), 'model and models are empty',
        model = '' AND empty(clicks), 'clicks are empty',
        has(models, ''), 'a model is empty',
        '')
)
ENGINE = {{source attributed-events}};

-- A click that has nothing under a model has no row, or had one before: the conversion itself gives none back.
CREATE MATERIALIZED VIEW IF NOT EXISTS attributed_events_mv TO attributed_events AS
SELECT
    toUUIDOrZero(conversion_id) AS conversion_id,
    toUUIDOrZero(click.1) AS click_id,
    user_id,
    click.2 AS ad_id,
    click.3 AS campaign_id,
    click.4 AS source,
    conversion_type,
    of_models[m] AS model,
    click.6[m] AS credit_micros,
    click.7[m] AS value_micros,
    click.8[m] AS adjusted_micros,
    click.9[m] AS refunds_micros,
    conversion_retracted,
    {{ms click.5}} AS click_time,
    {{ms conversion_time}} AS conversion_time,
    attribution_window_hours,
    version,
    toUInt8(withdrawn OR NOT (click.6[m] != 0 OR click.7[m] != 0 OR click.8[m] != 0 OR click.9[m] != 0)) AS retracted,
    toUUIDOrZero(cause) AS cause_id,
    cause_type,
    _partition,
    _offset
FROM
(
    SELECT
        conversion_id,
        user_id,
        conversion_type,
        conversion_time,
        attribution_window_hours,
        version,
        retracted AS withdrawn,
        conversion_retracted,
        cause_id AS cause,
        cause_type,
        _partition,
        _offset,
        if(model = '', models, [model]) AS of_models,
        arrayJoin(if(model = '', clicks, [(
            q.click_id, q.ad_id, q.campaign_id, q.source, q.click_time,
            [q.credit_micros], [q.value_micros], [q.adjusted_micros], [q.refunds_micros]
        )])) AS click
    FROM attributed_events_queue AS q
    WHERE _error = '' AND refused = ''
)
ARRAY JOIN arrayFilter(
    m -> withdrawn OR cause != '' OR click.6[m] != 0 OR click.7[m] != 0 OR click.8[m] != 0 OR click.9[m] != 0,
    arrayEnumerate(of_models)) AS m;

{{errors attributed-events}};
