-- Decisions are in decisions_local since 160, all of which may be applied again if it was interrupted.
DROP TABLE IF EXISTS conversion_decisions_local SYNC;
