import type { ScopeMetrics } from '@opentelemetry/sdk-metrics';
import type { AttributionEnvironment } from '../../attribution/decision/config.ts';
import type { Topic } from '../../contract/topics.ts';
import type { EmbeddedLogShare } from '../../log/embedded/log.ts';

/** What the pipeline's thread is started with. */
export interface PipelineData {
  share: EmbeddedLogShare;
  attribution: AttributionEnvironment;
  stateDir: string;
  clickhouseUrl: string;
  logLevel: string;
}

/** What the thread is asked. */
export interface PipelineAnswers {
  status: PipelineStatus;
  metrics: ScopeMetrics[] | undefined;
}

/** What the thread reports once, and what it is told once, besides the answers. */
export type PipelineSignal = 'started' | 'stop';

export interface PipelineStatus {
  attribution: { partition: number; nextOffset: number }[];
  /** Next offset to insert, per partition. */
  inserted: Record<Topic, number[]>;
}
