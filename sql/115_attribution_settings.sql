-- Topic attribution-settings: whose days counts are by, and from when on models, rollups and lookback windows hold.

CREATE TABLE IF NOT EXISTS attribution_settings_queue
(
    {{virtual-columns}}
    partition UInt32,
    kind String,
    name String,
    value String,
    since Int64,
    until Int64,
    version UInt64,
    refused String ALIAS if(kind = '', 'kind is empty', '')
)
ENGINE = {{source attribution-settings}};

-- The highest version of a partition's setting stays. Read it with FINAL.
CREATE TABLE IF NOT EXISTS attribution_settings_local
(
    partition UInt32,
    -- time_zone, model, rollup or lookback.
    kind LowCardinality(String),
    name String,
    -- Of a lookback its length in ms; of the time zone its offsets.
    value String,
    -- The partition's clock in ms; 0 of `since` if all of the partition is under it, of `until` while it holds.
    since Int64,
    until Int64,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (kind, name, partition);

-- A few rows a partition: any spread will do.
CREATE TABLE IF NOT EXISTS attribution_settings {{distributed attribution_settings_local by partition}};

CREATE MATERIALIZED VIEW IF NOT EXISTS attribution_settings_mv TO attribution_settings AS
SELECT partition, kind, name, value, since, until, version
FROM attribution_settings_queue
WHERE _error = '' AND refused = '';

{{errors attribution-settings}};
