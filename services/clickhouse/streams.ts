import type { DescMessage } from '@bufbuild/protobuf';
import {
  AttributedConversionSchema,
  AttributionSettingSchema,
  ConversionDecisionSchema,
  DailyStatsSchema,
  EventConflictSchema,
  PartitionProgressSchema,
  RollupStatsSchema,
} from '../../gen/ts/clickmesh/v1/attribution_pb.js';
import { EventSchema } from '../../gen/ts/clickmesh/v1/event_pb.js';
import type { Topic } from '../contract/topics.ts';

/** A topic that ClickHouse reads, and the message in its records. */
export interface Stream {
  topic: Topic;
  /** The table that its records are inserted into; materialized views write their rows to the other tables. */
  queue: string;
  message: DescMessage;
}

export const STREAMS: readonly Stream[] = [
  { topic: 'raw-events', queue: 'raw_events_queue', message: EventSchema },
  { topic: 'attributed-events', queue: 'attributed_events_queue', message: AttributedConversionSchema },
  { topic: 'daily-stats', queue: 'daily_stats_queue', message: DailyStatsSchema },
  { topic: 'conversion-decisions', queue: 'conversion_decisions_queue', message: ConversionDecisionSchema },
  { topic: 'attribution-progress', queue: 'attribution_progress_queue', message: PartitionProgressSchema },
  { topic: 'rollup-stats', queue: 'rollup_stats_queue', message: RollupStatsSchema },
  { topic: 'attribution-settings', queue: 'attribution_settings_queue', message: AttributionSettingSchema },
  { topic: 'event-conflicts', queue: 'event_conflicts_queue', message: EventConflictSchema },
];

/** The stream of a topic that a migration names; throws if ClickHouse reads no such topic. */
export function streamOf(topic: string): Stream {
  const stream = STREAMS.find((candidate) => candidate.topic === topic);
  if (stream === undefined) throw new Error(`no stream reads the topic ${topic}`);
  return stream;
}
