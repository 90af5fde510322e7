import { setTimeout as sleep } from 'node:timers/promises';
import type { MeshProcess } from '../fixtures/mesh-process.ts';
import type { Figure, Scenario } from './scenario.ts';
import { residentBytes, startCpuMeter } from './usage.ts';

const FULL = { settleMs: 10_000, watchMs: 60_000 };
const QUICK: typeof FULL = { settleMs: 100, watchMs: 500 };
const MIB = 2 ** 20;

export const idle: Scenario = {
  name: 'idle',
  method: 'An empty mesh that nobody talks to: resident memory 10 s after the start, then CPU over a minute.',
  run: (mesh, quick) => runIdle(mesh, quick ? QUICK : FULL),
};

async function runIdle(mesh: MeshProcess, { settleMs, watchMs }: typeof FULL): Promise<Figure[]> {
  await sleep(settleMs);
  const own = residentBytes(mesh.pid) / MIB;
  const clickhouse = mesh.childPids().reduce((sum, pid) => sum + residentBytes(pid), 0) / MIB;
  const cpuSince = startCpuMeter(mesh);
  await sleep(watchMs);
  const cpu = cpuSince();
  const perMinute = 60_000 / watchMs;
  return [
    { name: 'memory of the whole tree', value: own + clickhouse, unit: 'MiB', floor: { atMost: 1.2 * 1024 } },
    { name: 'memory of the mesh', value: own, unit: 'MiB' },
    { name: 'memory of ClickHouse', value: clickhouse, unit: 'MiB' },
    { name: 'CPU of the mesh', value: cpu.mesh * perMinute, unit: 'CPU-s a minute' },
    { name: 'CPU of ClickHouse', value: cpu.clickhouse * perMinute, unit: 'CPU-s a minute' },
  ];
}
