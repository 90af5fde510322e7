import type { ScopeMetrics } from '@opentelemetry/sdk-metrics';
import type { AttributionEnvironment } from '../../attribution/decision/config.ts';
import type { Topic } from '../../contract/topics.ts';
import type { EmbeddedLogShare } from '../../log/embedded/log.ts';

/** The workerData of the pipeline's thread. */
export interface PipelineData {
  share: EmbeddedLogShare;
  attribution: AttributionEnvironment;
  stateDir: string;
  clickhouseUrl: string;
  logLevel: string;
}

/** Questions to the thread, with the types of their answers. */
export interface PipelineAnswers {
  status: PipelineStatus;
  metrics: ScopeMetrics[] | undefined;
}

/** Messages besides questions and answers: `started` from the thread, once it runs, and `stop` to it. */
export type PipelineSignal = 'started' | 'stop';

export interface PipelineStatus {
  attribution: { partition: number; nextOffset: number }[];
  /** Next offset to insert, per partition. */
  inserted: Record<Topic, number[]>;
}
