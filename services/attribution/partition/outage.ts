import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { LogFull, LogUnavailable } from '../../log/event-log.ts';

/** Pause between two attempts while the log is unavailable, in ms. */
export const RETRY_MS = 500;

/** A partition that waits for the log. */
export interface Waiter {
  partition: number;
  logger: Logger;
  signal: AbortSignal;
}

/** Whether the log failed in passing: the same call may succeed later. */
export function isOutage(error: unknown): boolean {
  return error instanceof LogUnavailable || error instanceof LogFull;
}

/** Repeats an action while the log is unavailable; undefined once the signal has aborted. */
export async function retrying<T>(waiter: Waiter, action: () => Promise<T>): Promise<T | undefined> {
  while (!waiter.signal.aborted) {
    try {
      return await action();
    } catch (error) {
      if (waiter.signal.aborted && (error as Error).name === 'AbortError') return undefined;
      if (!isOutage(error)) throw error;
      await pauseForOutage(waiter, error);
    }
  }
  return undefined;
}

/** Repeats an action while the log is unavailable; throws what it failed with once the signal has aborted. */
export async function untilDone(waiter: Waiter, action: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await action();
    } catch (error) {
      if (waiter.signal.aborted || !isOutage(error)) throw error;
      await pauseForOutage(waiter, error);
    }
  }
}

function pauseForOutage({ logger, partition, signal }: Waiter, err: unknown): Promise<void> {
  logger.warn({ partition, err }, 'the log is unavailable, trying again');
  return pause(RETRY_MS, signal);
}

/** Resolves after `ms`, or when the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal }).catch(() => {});
}
