/** Open clients: one listener of the process for all of them. */
const open = new Set<() => void>();

function end(): void {
  for (const ended of open) ended();
}

/** Calls `ended` when the program ends. */
export function watch(_leave: () => void, ended: () => void): () => void {
  if (open.size === 0) process.on('exit', end);
  open.add(ended);
  return () => {
    open.delete(ended);
    if (open.size === 0) process.removeListener('exit', end);
  };
}

/** Calls `close` at SIGTERM. If nobody else handles it, the program then ends as by SIGTERM. */
export function watchSigterm(close: () => Promise<unknown>): () => void {
  let isEnding = false;
  const closeAndEnd = async () => {
    isEnding = true;
    await close().catch(() => {});
    process.removeListener('SIGTERM', closeAndEnd);
    if (process.listenerCount('SIGTERM') === 0) process.kill(process.pid, 'SIGTERM');
  };
  process.on('SIGTERM', closeAndEnd);
  return () => {
    // While it closes, the listener keeps a second SIGTERM from ending the program.
    if (!isEnding) process.removeListener('SIGTERM', closeAndEnd);
  };
}
