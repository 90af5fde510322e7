import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Interval at which a mesh that npm started checks that npm is still there, in ms. */
const PARENT_CHECK_MS = 500;

/**
 * Resolves once the npm that started this process is gone: the mesh must not outlive it, even if npm was killed and
 * could pass no signal on. A shell between the two may live on.
 */
export async function parentIsGone(env: NodeJS.ProcessEnv): Promise<void> {
  const lineage = () => [process.ppid, parentOf(process.ppid)].join();
  const atStart = lineage();
  if (env.npm_lifecycle_event === undefined) return new Promise(() => {});
  while (lineage() === atStart) await sleep(PARENT_CHECK_MS, undefined, { ref: false });
}

/** The parent of a process; undefined where the system has no /proc. */
function parentOf(pid: number): number | undefined {
  try {
    return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}
