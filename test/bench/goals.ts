/** A figure of a scenario. */
export type FigureName = readonly [scenario: string, figure: string];

/** What is to be reached: a figure of ours, or its ratio to another. */
export interface Goal {
  work: string;
  ours: FigureName;
  /** What ours is divided by; of several, the best. */
  per?: readonly FigureName[];
  better: 'more' | 'less';
  must: number;
  aim: number;
}

const JVM_DRAINS = (figure: string): FigureName[] => [
  ['peer-kstreams', figure],
  ['peer-flink', figure],
];
const WEBFLUX = (figure: string): FigureName[] => [['peer-webflux', figure]];
const more = (must: number, aim: number) => ({ better: 'more', must, aim }) as const;
const less = (must: number, aim: number) => ({ better: 'less', must, aim }) as const;

export const GOALS: readonly Goal[] = [
  {
    work: 'drain: events/s ÷ better JVM peer',
    ours: ['drain', 'committed'],
    per: JVM_DRAINS('committed'),
    ...more(1.3, 2),
  },
  { work: 'drain: CPU ÷ better JVM peer', ours: ['drain', 'CPU'], per: JVM_DRAINS('CPU'), ...less(0.65, 0.45) },
  {
    work: 'drain: peak memory ÷ better JVM peer',
    ours: ['drain', 'peak memory'],
    per: JVM_DRAINS('peak memory'),
    ...less(1, 0.5),
  },
  {
    work: 'REST: requests/s ÷ WebFlux',
    ours: ['kafka-rest', 'requests'],
    per: WEBFLUX('REST: requests'),
    ...more(1.2, 1.8),
  },
  { work: 'REST: CPU ÷ WebFlux', ours: ['kafka-rest', 'CPU'], per: WEBFLUX('REST: CPU'), ...less(0.85, 0.6) },
  { work: 'REST: p99 ÷ WebFlux', ours: ['kafka-rest', 'p99'], per: WEBFLUX('REST: p99'), ...less(1, 0.7) },
  {
    work: 'gRPC unary: CPU ÷ connect-node',
    ours: ['listeners', 'clickmesh'],
    per: [['listeners', 'connect-node']],
    ...less(0.4, 0.28),
  },
  {
    work: 'gRPC unary: CPU ÷ grpc-js',
    ours: ['listeners', 'clickmesh'],
    per: [['listeners', 'grpc-js']],
    ...less(0.85, 0.65),
  },
  {
    work: 'gRPC unary, the same linger: requests/s ÷ grpc-java',
    ours: ['kafka-grpc', 'requests'],
    per: WEBFLUX('gRPC: requests'),
    ...more(0.6, 1),
  },
  {
    work: 'IngestBatch of 100: events/s ÷ grpc-java batch',
    ours: ['kafka-batch', 'events'],
    per: WEBFLUX('batch: events'),
    ...more(0.6, 1),
  },
  {
    work: 'IngestStream: events/s ÷ grpc-java batch',
    ours: ['kafka-stream', 'events'],
    per: WEBFLUX('batch: events'),
    ...more(0.6, 1),
  },
  { work: 'freshness on a cluster at half of capacity: p99', ours: ['freshness-cluster', 'p99'], ...less(2000, 1000) },
  {
    work: 'GetStats of a month, all campaigns: p99',
    ours: ['stats-month', 'all campaigns, daily, merged: p99'],
    ...less(500, 250),
  },
  {
    work: 'GetStats of a month, one campaign: p99',
    ours: ['stats-month', 'one campaign, daily, merged: p99'],
    ...less(100, 30),
  },
  {
    work: 'GetStats of a month by ad, all campaigns: p99',
    ours: ['stats-by-ad', 'all campaigns: p99'],
    ...less(500, 250),
  },
  {
    work: 'GetStats of a month by ad, one campaign: p99',
    ours: ['stats-by-ad', 'one campaign: p99'],
    ...less(50, 30),
  },
  {
    work: 'RunReport of a month by ad, 1,000 campaigns, two models: p99',
    ours: ['stats-by-ad', 'RunReport: p99'],
    ...less(1000, 500),
  },
  {
    work: 'ExplainConversion over 1,000,000 conversions: p99',
    ours: ['conversions', 'ExplainConversion: p99'],
    ...less(200, 50),
  },
  { work: 'TopPaths over 1,000,000 conversions: p99', ours: ['conversions', 'TopPaths: p99'], ...less(2000, 1000) },
  {
    work: 'ListConversions over 1,000,000 conversions: p99',
    ours: ['conversions', 'ListConversions, newest: p99'],
    ...less(2000, 500),
  },
  {
    work: 'drain: 10 times the users ÷ drain',
    ours: ['drain-many-users', 'committed'],
    per: [['drain', 'committed']],
    ...more(0.6, 1),
  },
  {
    work: 'drain: hot user ÷ drain',
    ours: ['drain-hot-user', 'committed'],
    per: [['drain', 'committed']],
    ...more(0.8, 1),
  },
  {
    ...{ work: 'drain: second day ÷ first', ours: ['drain-next-day', 'day 2: committed'] },
    ...{ per: [['drain-next-day', 'day 1: committed']], ...more(0.9, 1) },
  },
  {
    ...{ work: 'variety: 1,000,000 keys ÷ 100', ours: ['variety', '1,000,000 keys: until all is in the stats'] },
    ...{ per: [['variety', '100 keys: until all is in the stats']], ...more(0.5, 0.8) },
  },
  {
    work: 'variety: peak memory with 1,000,000 keys, MiB',
    ours: ['variety', '1,000,000 keys: peak memory'],
    ...less(1536, 1024),
  },
  {
    work: 'tracing 1 % of REST requests: throughput kept',
    ours: ['tracing', 'throughput kept'],
    ...more(0.95, 0.98),
  },
];
