-- Topic attribution-progress: what became of every record of a partition of raw-events.

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
    refused String ALIAS if(records = 0, 'records is 0', '')
)
ENGINE = {{source attribution-progress}};

-- The highest version of a partition stays. Read it with FINAL.
CREATE TABLE IF NOT EXISTS attribution_progress_local
(
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
    watermark DateTime64(3, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY partition;

-- One row a partition: any spread will do.
CREATE TABLE IF NOT EXISTS attribution_progress {{distributed attribution_progress_local by partition}};

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
    version
FROM attribution_progress_queue
WHERE _error = '' AND refused = '';

{{errors attribution-progress}};
