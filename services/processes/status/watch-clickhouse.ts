import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { STREAMS } from '../../clickhouse/streams.ts';
import { clickhouseLag, freshness } from '../../telemetry/metrics.ts';
import type { StatusSource } from './status.ts';

/** Interval between two measurements of freshness, in ms. */
const PROBE_PERIOD_MS = 10_000;
const POLL_MS = 100;
/** Longest freshness that is measured, in ms: the last bound of the metric. */
const LONGEST_MS = 60_000;

/** Measures ClickHouse's lag and freshness until `closing` aborts. */
export function watchClickHouse(source: StatusSource, logger: Logger, closing: AbortSignal): void {
  clickhouseLag.addCallback(async (result) => {
    for (const { topic } of STREAMS) {
      const [offsets, inserted] = await Promise.all([source.log.offsets(topic), source.inserted(topic)]);
      const behind = offsets.map(({ start, end }, partition) => end - Math.max(start, inserted[partition] ?? start));
      result.observe(
        behind.reduce((sum, records) => sum + records, 0),
        { topic },
      );
    }
  });
  void probe(source, logger, closing);
}

/** Measures periodically how long it takes until all that is acknowledged at a moment is in the stats. */
async function probe(source: StatusSource, logger: Logger, closing: AbortSignal): Promise<void> {
  const pause = (ms: number) => sleep(ms, undefined, { signal: closing, ref: false }).catch(() => {});
  const until = async (condition: () => Promise<boolean>, end: number) => {
    while (!closing.aborted && performance.now() < end && !(await condition())) await pause(POLL_MS);
  };
  while (!closing.aborted) {
    await pause(PROBE_PERIOD_MS);
    const began = performance.now();
    try {
      const events = await ends(source, 'raw-events');
      if (await reached(source.folded(), events)) continue;
      await until(() => reached(source.folded(), events), began + LONGEST_MS);
      const counters = await ends(source, 'daily-stats');
      await until(() => reached(source.inserted('daily-stats'), counters), began + LONGEST_MS);
      if (!closing.aborted) freshness.record((performance.now() - began) / 1000);
    } catch (err) {
      if (!closing.aborted) logger.debug({ err }, 'could not look how fresh the stats are');
    }
  }
}

async function ends({ log }: StatusSource, topic: 'raw-events' | 'daily-stats'): Promise<number[]> {
  return (await log.offsets(topic)).map(({ end }) => end);
}

async function reached(positions: Promise<readonly (number | undefined)[]>, goal: readonly number[]): Promise<boolean> {
  const reachedNow = await positions;
  return goal.every((end, partition) => end === 0 || (reachedNow[partition] ?? 0) >= end);
}
