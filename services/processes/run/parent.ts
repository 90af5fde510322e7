import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** How often a mesh that npm started looks whether npm is still there, in ms. */
const PARENT_CHECK_MS = 500;

/**
 * Settles when npm is gone that started this process: under `npm start` the mesh must not outlive npm, even one that was killed and could pass no signal on. There may be
 * a shell between the two, which lives on.
 */
export async function parentIsGone(env: NodeJS.ProcessEnv): Promise<void> {
  const lineage = () => [process.ppid, parentOf(process.ppid)].join();
  const atStart = lineage();
  if (env.npm_lifecycle_event === undefined) return new Promise(() => {});
  while (lineage() === atStart) await sleep(PARENT_CHECK_MS, undefined, { ref: false });
}

/** Parent of a process, where the system has /proc. */
function parentOf(pid: number): number | undefined {
  try {
    return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}
