/** Every topic; the order is the embedded log's key order and must not change. */
export const TOPICS = [
  'raw-events',
  'attributed-events',
  'daily-stats',
  'conversion-decisions',
  'raw-events.DLT',
  'attribution-progress',
  'rollup-stats',
  'attribution-settings',
  'event-conflicts',
  'counted-apart',
] as const;
export type Topic = (typeof TOPICS)[number];

/** Topics that are not inserted into ClickHouse: one for people, and one for attribution itself. */
export const NOT_INSERTED: readonly Topic[] = ['raw-events.DLT', 'counted-apart'];

/** Topics that keep the last record of every key for ever, where the log can compact: state is rebuilt from them. */
export const COMPACTED: readonly Topic[] = [
  'daily-stats',
  'attribution-progress',
  'rollup-stats',
  'attribution-settings',
];
