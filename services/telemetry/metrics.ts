import { monitorEventLoopDelay } from 'node:perf_hooks';
import { metrics, type ObservableGauge } from '@opentelemetry/api';

/**
 * Every instrument of the mesh. Attributes have few values: no user, campaign or event is ever one. Prometheus gets the
 * names with underscores and the unit at the end.
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
  return meter.createHistogram(name, { description, advice: { explicitBucketBoundaries: COUNTS } });
}

function gauge(name: string, description: string, unit?: string): ObservableGauge {
  return meter.createObservableGauge(name, { unit, description });
}

/** Calls answered, by method and outcome. */
export const rpcDuration = duration('rpc.server.call.duration', 'Duration of RPCs');
export const httpDuration = duration('http.server.request.duration', 'Duration of plain HTTP requests');

export const eventsAccepted = meter.createCounter('clickmesh.events.accepted', {
  description: 'Events acknowledged, by event_type',
});
export const eventsRejected = meter.createCounter('clickmesh.events.rejected', {
  description: 'Events refused, by reason',
});
export const namesIgnored = meter.createCounter('clickmesh.events.names_ignored', {
  description: 'Names in accepted events that were not understood or could not be kept, by event_type',
});
export const appendDuration = duration('clickmesh.append.duration', 'From events accepted to events durable');
export const appendSize = size('clickmesh.append.size', 'Events appended to the log by one request');

export const attributionEvents = meter.createCounter('clickmesh.attribution.events', {
  description: 'Events folded, by event_type, duplicates included',
});
export const attributionDuplicates = meter.createCounter('clickmesh.attribution.duplicates', {
  description: 'Events that were folded before, by event_type',
});
export const attributionDecisions = meter.createCounter('clickmesh.attribution.decisions', {
  description: 'Decisions on conversions, those that a late click led to included, by attribution model and outcome',
});
export const attributionCorrections = meter.createCounter('clickmesh.attribution.corrections', {
  description: 'Conversions whose credits a late click changed',
});
export const attributionConflicts = meter.createCounter('clickmesh.attribution.conflicts', {
  description: 'Events that differ from an earlier one of the same id',
});
export const touchesDropped = meter.createCounter('clickmesh.attribution.touches.dropped', {
  description: 'Clicks beyond MAX_TOUCHES of their user',
});
export const deadLetters = meter.createCounter('clickmesh.attribution.dead_letters', {
  description: 'Records that could not be folded, by reason',
});
export const foldDuration = duration(
  'clickmesh.attribution.fold.duration',
  'Folding one batch of records',
  [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
);
export const batchSize = size('clickmesh.attribution.batch.size', 'Records in one batch');
export const cacheHits = meter.createCounter('clickmesh.attribution.cache.hits', {
  description: 'Users found in memory',
});
export const cacheMisses = meter.createCounter('clickmesh.attribution.cache.misses', {
  description: 'Users read from the store',
});
export const attributionLag = gauge('clickmesh.attribution.lag', 'Records not yet folded, by partition', '{record}');
export const watermarkAge = gauge(
  'clickmesh.attribution.watermark.age',
  'Age of the newest event folded, by partition',
  's',
);
export const stateBytes = gauge('clickmesh.attribution.state', 'Size of the state on disk, by partition', 'By');
export const checkpointAge = gauge(
  'clickmesh.attribution.checkpoint.age',
  'Age of the newest checkpoint, by partition',
  's',
);
export const checkpointBytes = gauge(
  'clickmesh.attribution.checkpoint',
  'Size of the newest checkpoint, by partition',
  'By',
);

export const clickhouseLag = gauge('clickmesh.clickhouse.lag', 'Records not yet in ClickHouse, by topic', '{record}');
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
  gauge('nodejs.eventloop.delay.p99', 'Delay of the event loop since it was last asked for', 's').addCallback(
    (result) => {
      result.observe(loop.percentile(99) / 1e9);
      loop.reset();
    },
  );
  gauge('process.resident_memory', 'Resident set size', 'By').addCallback((result) => {
    result.observe(process.memoryUsage.rss());
  });
  const cpu = { unit: 's', description: 'CPU time, user and system' };
  meter.createObservableCounter('process.cpu', cpu).addCallback((result) => {
    const { user, system } = process.cpuUsage();
    result.observe((user + system) / 1e6);
  });
}
