-- Events that correct others: which, and how. Empty on clicks and conversions; of a verdict, kind is valid or invalid.
ALTER TABLE events_local
    ADD COLUMN IF NOT EXISTS target_id UUID AFTER metadata,
    ADD COLUMN IF NOT EXISTS kind LowCardinality(String) AFTER target_id,
    ADD COLUMN IF NOT EXISTS reason String AFTER kind,
    -- Finds the user of an event by its id alone.
    ADD INDEX IF NOT EXISTS event_id_index event_id TYPE bloom_filter(0.001);

-- Of the events that are there, in the background: until then each of their parts is read whole.
ALTER TABLE events_local MATERIALIZE INDEX event_id_index;

CREATE OR REPLACE TABLE events_distributed {{distributed events_local by sipHash64(user_id)}};
