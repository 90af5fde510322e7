-- How far the embedded sink has come. Written after the rows are stored, never before: what a crash leaves between is
-- inserted again, which changes nothing. With a broker the consumer group's offsets take its place.
CREATE TABLE IF NOT EXISTS sink_offsets
(
    topic LowCardinality(String),
    partition UInt32,
    next_offset UInt64
)
ENGINE = ReplacingMergeTree(next_offset)
ORDER BY (topic, partition);
