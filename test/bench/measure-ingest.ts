import { createClient } from '@clickhouse/client';
import type { MeshStatus } from '../../services/audit/mesh-status.ts';
import { statusCaughtUp } from '../../services/cli/ask-mesh.ts';
import type { MeshProcess } from '../fixtures/mesh-process.ts';
import type { Figure } from './scenario.ts';
import { type CpuSeconds, startCpuMeter } from './usage.ts';

/** 10^6 keys take ClickHouse four minutes of two cores that nothing else needs. */
const CATCH_UP_TIMEOUT_MS = 900_000;

export interface Ingest<T> {
  /** What the load returned. */
  load: T;
  events: number;
  /** From the first request until attribution and ClickHouse had everything. */
  seconds: number;
  /** The part of it after the last answer. */
  catchUpSeconds: number;
  cpu: CpuSeconds;
}

/**
 * Runs a load on an empty mesh and waits until attribution and ClickHouse have caught up. Throws unless every event
 * that was acknowledged is stored and counted, once.
 */
export async function measureIngest<T>(
  mesh: MeshProcess,
  run: () => Promise<T>,
  eventsOf: (load: T) => number,
): Promise<Ingest<T>> {
  const cpuSince = startCpuMeter(mesh);
  const began = performance.now();
  const load = await run();
  const answered = performance.now();
  const status = await statusCaughtUp(mesh.url, CATCH_UP_TIMEOUT_MS);
  const ended = performance.now();
  const cpu = cpuSince();
  const events = eventsOf(load);
  await assertCounted(status, events);
  return { load, events, seconds: (ended - began) / 1000, catchUpSeconds: (ended - answered) / 1000, cpu };
}

async function assertCounted(status: MeshStatus, events: number): Promise<void> {
  await using client = createClient({ url: status.clickhouse_url });
  const answer = await client.query({
    query: `SELECT
      (SELECT toUInt32(count()) FROM events_distributed FINAL) AS stored,
      (SELECT toUInt32(sum(clicks + attributed + unattributed)) FROM attribution_progress FINAL) AS counted`,
    format: 'JSONEachRow',
  });
  const [row] = await answer.json<{ stored: number; counted: number }>();
  if (row?.stored !== events || row.counted !== events) {
    throw new Error(`${events} events were acknowledged, ${row?.stored} stored and ${row?.counted} counted`);
  }
}

/** CPU seconds for 10,000 events, from the first request until ClickHouse had the last, and the generator's share. */
export function cpuFigures({ cpu, events }: Pick<Ingest<unknown>, 'cpu' | 'events'>): Figure[] {
  const unit = 'CPU-s per 10k events';
  const all = cpu.mesh + cpu.clickhouse + cpu.generator;
  return [
    { name: 'CPU of the mesh', value: (cpu.mesh / events) * 10_000, unit },
    { name: 'CPU of ClickHouse', value: (cpu.clickhouse / events) * 10_000, unit },
    { name: "load generator's share of the CPU used", value: (cpu.generator / all) * 100, unit: '%' },
  ];
}
