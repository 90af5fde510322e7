import { setTimeout as sleep } from 'node:timers/promises';
import type { SeedEvent } from '../../services/cli/generate/seed-events.ts';

export interface LoadOptions {
  url(): string;
  events: readonly SeedEvent[];
  /** Of BATCH events each. */
  batchesBetweenKills: number;
}

export const BATCH = 100;

/**
 * Sends all events in order, four batches at a time, each until it is acknowledged. It never gets past the stretch of
 * the next kill, so that every kill comes under load.
 */
export function startLoad({ url, events, batchesBetweenKills }: LoadOptions) {
  const batches = Array.from({ length: Math.ceil(events.length / BATCH) }, (_, i) =>
    events.slice(i * BATCH, (i + 1) * BATCH),
  );
  let acknowledged = 0;
  const refused: string[] = [];
  let stretch = Promise.withResolvers<void>();
  const waiting: { batches: number; resolve(): void }[] = [];
  const next = batches.entries();
  let kills = 0;

  async function sender() {
    for (const [number, batch] of next) {
      while (number >= (kills + 1) * batchesBetweenKills) await stretch.promise;
      for (;;) {
        const failure = await send(url(), batch);
        if (failure === undefined) break;
        refused.push(failure);
        await sleep(50);
      }
      acknowledged++;
      for (const waiter of waiting.filter((w) => w.batches <= acknowledged)) waiter.resolve();
    }
  }
  return {
    /** Why requests failed that were then sent again. */
    refused: () => refused,
    killed() {
      kills++;
      stretch.resolve();
      stretch = Promise.withResolvers();
    },
    acknowledged: (count: number) =>
      new Promise<void>((resolve) => {
        if (count <= acknowledged) resolve();
        else waiting.push({ batches: count, resolve });
      }),
    done: Promise.all([sender(), sender(), sender(), sender()]),
  };
}

/** Undefined if all was accepted, or what went wrong. */
async function send(url: string, batch: readonly SeedEvent[]): Promise<string | undefined> {
  const began = performance.now();
  try {
    const response = await fetch(`${url}/api/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(batch),
      signal: AbortSignal.timeout(30_000),
    });
    const body = await response.text();
    if (response.status === 202 && JSON.parse(body).accepted === batch.length) return undefined;
    return `${response.status} ${body.slice(0, 200)}`;
  } catch (error) {
    const { message, cause } = error as Error;
    return `${message} (${cause}) after ${Math.round(performance.now() - began)} ms`;
  }
}
