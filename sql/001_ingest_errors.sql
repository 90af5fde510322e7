-- Records that did not become rows, so that nothing is lost silently. Every stream has a view into this table.
--
-- How a stream's file reads: `<stream>_queue` is where its records come in, `<stream>_mv` puts them into their table,
-- `<stream>_errors_mv` puts those that can't be parsed, or are refused, into this one. The queue is a Kafka engine
-- table, or stores nothing and is inserted into by the embedded sink. Views must be total: a record that made one throw
-- would come again for ever. Times are therefore clamped to 1970..2200, which every column type can hold.
--
-- What stands in double braces is filled in by services/clickhouse/sql-template.ts, or by migrate.ts beside it where it
-- depends on the server. What ClickHouse made of it: SELECT create_table_query FROM system.tables.
--
-- Rows are stored in `<table>_local` and written and read by the name `<table>`. On a cluster that is a Distributed
-- table: `by` names what decides on which shard a row is. A partition of a topic may be read by any shard, and by
-- another tomorrow, and FINAL sees the versions of a key only where they are together: so what follows `by` must be
-- part of the sorting key. On one server both names mean the same table.
CREATE TABLE IF NOT EXISTS ingest_errors_local
(
    topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64,
    _append_time DateTime64(3, 'UTC'),
    error String,
    -- The record's value if it could not be parsed; empty if it was parsed and refused.
    raw String
)
ENGINE = ReplacingMergeTree
ORDER BY (topic, _partition, _offset);

CREATE TABLE IF NOT EXISTS ingest_errors {{distributed ingest_errors_local by _offset}};
