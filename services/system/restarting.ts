/** How long the pauses before a new start are, in ms. */
export interface Restarts {
  /** The pause after a first end; each that follows is twice as long. */
  firstMs: number;
  longestMs: number;
  /** A run that lasted this long was steady: the pause after it is a first one again. */
  steadyMs: number;
}

/** Restarts of processes and threads. */
export const RESTARTS: Restarts = { firstMs: 200, longestMs: 10_000, steadyMs: 10_000 };

/**
 * Runs something again and again, with growing pauses, until `signal` aborts: then it resolves after the run under way,
 * or at once in a pause. It ends with the error of a run that rejects.
 *
 * @param run resolves when the run has ended, with what there is to report of it; calls `steady` if it knows before
 *   steadyMs that it goes well
 * @param ended is called before each pause, but not after the last run
 */
export async function restarting<End>(
  run: (steady: () => void) => Promise<End>,
  { firstMs, longestMs, steadyMs }: Restarts,
  signal: AbortSignal,
  ended: (end: End, pauseMs: number) => void,
): Promise<void> {
  let pauseMs = firstMs;
  while (!signal.aborted) {
    let steadyAt = performance.now() + steadyMs;
    const end = await run(() => {
      steadyAt = 0;
    });
    if (signal.aborted) return;
    if (performance.now() >= steadyAt) pauseMs = firstMs;
    ended(end, pauseMs);
    await pause(pauseMs, signal);
    pauseMs = Math.min(2 * pauseMs, longestMs);
  }
}

/** Resolves after some ms, or as soon as `signal` aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener('abort', resolve);
  await promise;
  clearTimeout(timer);
  signal.removeEventListener('abort', resolve);
}
