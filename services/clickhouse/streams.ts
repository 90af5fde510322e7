import { readFileSync } from 'node:fs';
import type { DescMessage } from '@bufbuild/protobuf';
import {
  AttributedConversionSchema,
  ConversionDecisionSchema,
  DailyStatsSchema,
  PartitionProgressSchema,
} from '../../gen/ts/clickmesh/v1/attribution_pb.js';
import { EventSchema } from '../../gen/ts/clickmesh/v1/event_pb.js';
import type { Topic } from '../contract/topics.ts';

/** A topic that ClickHouse reads, and the message in its records. */
export interface Stream {
  topic: Topic;
  /** The table its records come in by; views carry them on. */
  queue: string;
  message: DescMessage;
}

export const STREAMS: readonly Stream[] = [
  { topic: 'raw-events', queue: 'raw_events_queue', message: EventSchema },
  { topic: 'attributed-events', queue: 'attributed_events_queue', message: AttributedConversionSchema },
  { topic: 'daily-stats', queue: 'daily_stats_queue', message: DailyStatsSchema },
  { topic: 'conversion-decisions', queue: 'conversion_decisions_queue', message: ConversionDecisionSchema },
  { topic: 'attribution-progress', queue: 'attribution_progress_queue', message: PartitionProgressSchema },
];

/** The .proto text that defines a message: ClickHouse compiles it as a format schema. */
export function protoText(message: DescMessage): string {
  return readFileSync(new URL(`../../proto/${message.file.name}.proto`, import.meta.url), 'utf8');
}
