import type { Event } from '../clickmesh/v1/event_pb.js';
import type { Acceptance } from '../clickmesh/v1/ingest_service_pb.js';
import { MAX_BATCH_BYTES, sizeOf } from './events.ts';

export interface QueueOptions {
  batchSize: number;
  batchDelayMs: number;
  maxPending: number;
}

export interface BatchQueue {
  /** Settles with what became of the event; rejects with QueueFull while too many have no answer. */
  put(event: Event): Promise<Acceptance>;
  /** Resolves when everything put before has been answered. */
  flush(): Promise<void>;
}

/** As many tracked events as may be have no answer yet. */
export class QueueFull extends Error {
  override name = 'QueueFull';
}

interface Tracked {
  event: Event;
  resolve(acceptance: Acceptance): void;
  reject(reason: unknown): void;
}

/** Gathers events into batches by number, bytes and time, and sends one batch after the other. */
export function batchQueue(
  send: (events: Event[]) => Promise<(Acceptance | Error)[]>,
  { batchSize, batchDelayMs, maxPending }: QueueOptions,
): BatchQueue {
  let waiting: Tracked[] = [];
  let bytes = 0;
  let pending = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sent = Promise.resolve();

  function dispatch(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const batch = waiting;
    waiting = [];
    bytes = 0;
    if (batch.length > 0) sent = sent.then(() => deliver(batch));
    return sent;
  }

  async function deliver(batch: Tracked[]): Promise<void> {
    try {
      const results = await send(batch.map(({ event }) => event));
      for (const [i, { resolve, reject }] of batch.entries()) {
        const result = results[i];
        if (result === undefined || result instanceof Error) reject(result);
        else resolve(result);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      pending -= batch.length;
    }
  }

  return {
    put(event) {
      if (pending >= maxPending) return Promise.reject(new QueueFull(`${pending} events have no answer yet`));
      pending++;
      const answer = new Promise<Acceptance>((resolve, reject) => waiting.push({ event, resolve, reject }));
      bytes += sizeOf(event);
      if (waiting.length >= batchSize || bytes >= MAX_BATCH_BYTES) dispatch();
      else timer ??= setTimeout(dispatch, batchDelayMs);
      return answer;
    },
    flush: dispatch,
  };
}
