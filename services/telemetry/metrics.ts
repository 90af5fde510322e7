import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Counter, metrics, type ObservableGauge } from '@opentelemetry/api';

/**
 * Every instrument of the mesh. Attributes have few values: no user, campaign or event is ever one. Prometheus gets the
 * names with underscores and the unit at the end. `size`, `counter` and `gauge` put "clickmesh." before theirs.
 */
const meter = metrics.getMeter('clickmesh');

/** Upper bounds in seconds, those that OpenTelemetry's conventions advise for durations of calls. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const FRESHNESS_SECONDS = [0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60];
const COUNTS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];

function duration(name: string, description: string, boundaries = SECONDS) {
  return meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries: boundaries } });
}

function size(name: string, description: string) {
  return meter.createHistogram(`clickmesh.${name}`, { description, advice: { explicitBucketBoundaries: COUNTS } });
}

function counter(name: string, description: string): Counter {
  return meter.createCounter(`clickmesh.${name}`, { description });
}

function gauge(name: string, description: string, unit?: string): ObservableGauge {
  return meter.createObservableGauge(`clickmesh.${name}`, { unit, description });
}

/** Calls answered, by method and outcome. */
export const rpcDuration = duration('rpc.server.call.duration', 'Duration of RPCs');
export const httpDuration = duration('http.server.request.duration', 'Duration of plain HTTP requests');

export const eventsAccepted = counter('events.accepted', 'Events acknowledged, by event_type');
export const eventsRejected = counter('events.rejected', 'Events refused, by reason');
export const namesIgnored = counter(
  'events.names_ignored',
  'Names in accepted events that were not understood or could not be kept, by event_type',
);
export const appendDuration = duration('clickmesh.append.duration', 'From events accepted to events durable');
export const appendSize = size('append.size', 'Events appended to the log by one request');

export const attributionEvents = counter('attribution.events', 'Events folded, by event_type, duplicates included');
export const attributionDuplicates = counter('attribution.duplicates', 'Events that were folded before, by event_type');
export const attributionDecisions = counter(
  'attribution.decisions',
  'Decisions on conversions, those that a late click led to included, by attribution model and outcome',
);
export const attributionCorrections = counter(
  'attribution.corrections',
  'Conversions whose credits a late click changed',
);
export const attributionConflicts = counter(
  'attribution.conflicts',
  'Events that differ from an earlier one of the same id',
);
export const touchesDropped = counter(
  'attribution.touches.dropped',
  'Clicks that their user has no room for at hand, beyond MAX_TOUCHES',
);
export const correctionsTooLate = counter(
  'attribution.corrections.too_late',
  'Adjustments and verdicts that came after ADJUSTMENT_DAYS and changed nothing',
);
export const refundsExceeded = gauge(
  'attribution.refunds.exceeded',
  'Refunds that hold and took less than their value, as no more was left, by partition',
  '{event}',
);
export const decisionsTruncated = gauge(
  'attribution.decisions.truncated',
  'Conversions of more clicks than MAX_TOUCHES, shared among the newest, by partition',
  '{conversion}',
);
export const correctionsWaiting = gauge(
  'attribution.corrections.waiting',
  'Adjustments and verdicts whose conversion or click has not come, by partition',
  '{event}',
);
export const deadLetters = counter('attribution.dead_letters', 'Records that could not be folded, by reason');
export const foldDuration = duration(
  'clickmesh.attribution.fold.duration',
  'Folding one batch of records',
  [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
);
export const batchSize = size('attribution.batch.size', 'Records in one batch');
export const cacheHits = counter('attribution.cache.hits', 'Users found in memory');
export const cacheMisses = counter('attribution.cache.misses', 'Users read from the store');
export const attributionLag = gauge('attribution.lag', 'Records not yet folded, by partition', '{record}');
export const watermarkAge = gauge('attribution.watermark.age', 'Age of the newest event folded, by partition', 's');
export const stateBytes = gauge('attribution.state', 'Size of the state on disk, by partition', 'By');
export const checkpointAge = gauge('attribution.checkpoint.age', 'Age of the newest checkpoint, by partition', 's');
export const checkpointBytes = gauge('attribution.checkpoint', 'Size of the newest checkpoint, by partition', 'By');

export const clickhouseLag = gauge('clickhouse.lag', 'Records not yet in ClickHouse, by topic', '{record}');
export const freshness = duration(
  'clickmesh.freshness',
  'From events acknowledged to their being in the stats',
  FRESHNESS_SECONDS,
);
export const queryDuration = duration('db.client.operation.duration', 'Duration of ClickHouse calls');

/** Measures the process as Prometheus' own client libraries do: event loop, memory, CPU. */
export function watchProcess(): void {
  const loop = monitorEventLoopDelay();
  loop.enable();
  const delay = { unit: 's', description: 'Delay of the event loop since it was last asked for' };
  meter.createObservableGauge('nodejs.eventloop.delay.p99', delay).addCallback((result) => {
    result.observe(loop.percentile(99) / 1e9);
    loop.reset();
  });
  const memory = { unit: 'By', description: 'Resident set size' };
  meter.createObservableGauge('process.resident_memory', memory).addCallback((result) => {
    result.observe(process.memoryUsage.rss());
  });
  const cpu = { unit: 's', description: 'CPU time, user and system' };
  meter.createObservableCounter('process.cpu', cpu).addCallback((result) => {
    const { user, system } = process.cpuUsage();
    result.observe((user + system) / 1e6);
  });
}
