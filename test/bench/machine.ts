import { execFileSync } from 'node:child_process';
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@clickhouse/client';
import { startMeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';
import { percentile } from './load.ts';
import { processCpuSeconds } from './usage.ts';

const SYNCS = 200;
/** What the figures depend on; a changed page or readme does not make a build another one. */
const MEASURED_PATHS = ['services', 'gen', 'proto', 'sql', 'package.json'];

/** Names and values for the head of the results page. */
export async function describeMachine(): Promise<[name: string, value: string][]> {
  return [
    ['CPU', `${cpus()[0]!.model.trim()}, ${cpus().length} cores`],
    ['memory', `${(totalmem() / 2 ** 30).toFixed(1)} GiB`],
    ['kernel', `Linux ${release()}`],
    ['disk', `${fdatasyncMs().toFixed(2)} ms for an fdatasync of 4 KiB (median of ${SYNCS})`],
    ['node', process.version],
    ['ClickHouse', await clickhouseVersion()],
    ['clickmesh', commit()],
    ['date', `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`],
    ['load average before', loadavg()[0]!.toFixed(2)],
  ];
}

function fdatasyncMs(): number {
  using folder = temporaryFolder();
  const file = openSync(join(folder.path, 'synced'), 'w');
  const block = Buffer.alloc(4096, 1);
  const latencies = Array.from({ length: SYNCS }, () => {
    const began = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    return performance.now() - began;
  });
  closeSync(file);
  return percentile(
    latencies.sort((a, b) => a - b),
    0.5,
  );
}

async function clickhouseVersion(): Promise<string> {
  using folder = temporaryFolder();
  const mesh = await startMeshProcess(join(folder.path, 'data'));
  try {
    const { clickhouse_url: url } = (await (await fetch(`${mesh.url}/status`)).json()) as { clickhouse_url: string };
    await using client = createClient({ url });
    const answer = await client.query({ query: 'SELECT version() AS version', format: 'JSONEachRow' });
    return (await answer.json<{ version: string }>())[0]!.version;
  } finally {
    await mesh.stop();
  }
}

/** The build in the working tree now; a run of minutes may see another one when it ends. */
export function commit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim();
  const dirty = git('status', '--porcelain', '--', ...MEASURED_PATHS) !== '';
  return `${git('rev-parse', '--short', 'HEAD')}${dirty ? ', with uncommitted changes' : ''}`;
}

/**
 * Starts counting; the function returned says which share of the machine's CPU time was used since by processes that
 * are neither this one nor children of it that have ended.
 */
export function startBystanderMeter(): () => number {
  const before = readings();
  return () => {
    const now = readings();
    return (now.busy - before.busy - (now.ours - before.ours)) / (now.total - before.total);
  };
}

/** CPU seconds since the machine started: of all cores, of those the busy ones, and ours. */
function readings() {
  const times = cpus().map((cpu) => cpu.times);
  const total = times.reduce((sum, t) => sum + t.user + t.nice + t.sys + t.irq + t.idle, 0) / 1000;
  const idle = times.reduce((sum, t) => sum + t.idle, 0) / 1000;
  const { own, endedChildren } = processCpuSeconds('self');
  return { total, busy: total - idle, ours: own + endedChildren };
}
