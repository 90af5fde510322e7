import { readdirSync, readFileSync } from 'node:fs';
import { childrenOf, type MeshProcess } from '../fixtures/mesh-process.ts';

/** Ticks a second in /proc/PID/stat: fixed for all of Linux's user interfaces. */
const TICKS_PER_SECOND = 100;

/** CPU seconds, user and system. */
export interface CpuSeconds {
  mesh: number;
  /** Processes that the mesh started. */
  clickhouse: number;
  /** This process: the load generator. */
  generator: number;
}

/** Starts counting; the function returned says what was used since. */
export function startCpuMeter(mesh: MeshProcess): () => CpuSeconds {
  const before = cpuSeconds(mesh);
  return () => {
    const now = cpuSeconds(mesh);
    return {
      mesh: now.mesh - before.mesh,
      clickhouse: now.clickhouse - before.clickhouse,
      generator: now.generator - before.generator,
    };
  };
}

function cpuSeconds(mesh: MeshProcess): CpuSeconds {
  const children = mesh.childPids().map((pid) => processCpuSeconds(pid).own);
  const { user, system } = process.cpuUsage();
  return {
    mesh: processCpuSeconds(mesh.pid).own,
    clickhouse: children.reduce((sum, seconds) => sum + seconds, 0),
    generator: (user + system) / 1e6,
  };
}

/** CPU seconds of a process, and those of its children that have ended and were waited for. */
export function processCpuSeconds(pid: number | 'self'): { own: number; endedChildren: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field is the name in brackets, which may hold spaces; utime is the 14th field.
  const ticks = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15)
    .map(Number);
  const [user, system, childUser, childSystem] = ticks as [number, number, number, number];
  return { own: (user + system) / TICKS_PER_SECOND, endedChildren: (childUser + childSystem) / TICKS_PER_SECOND };
}

/** A process, and all that it has started. */
export function processTree(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    try {
      return childrenOf(pid, Number(thread));
    } catch {
      // It has ended since its name was read.
      return [];
    }
  });
  return [pid, ...children.flatMap(processTree)];
}

/** CPU seconds of a process and all that it has started. */
export function treeCpuSeconds(pid: number): number {
  return processTree(pid).reduce((sum, each) => sum + processCpuSeconds(each).own, 0);
}

/** The most resident memory that a process has ever had, in bytes. */
export function peakResidentBytes(pid: number): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))!;
  return Number(kilobytes) * 1024;
}
