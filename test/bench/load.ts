import { setTimeout as sleep } from 'node:timers/promises';

export interface Load {
  requests: number;
  /** From the first request to the last answer. */
  seconds: number;
  /** Milliseconds, ascending. */
  latencies: number[];
}

/** Keeps so many requests in flight for so long; a request follows when another was answered. */
export async function closedLoop(inFlight: number, seconds: number, send: () => Promise<void>): Promise<Load> {
  const latencies: number[] = [];
  const began = performance.now();
  const end = began + seconds * 1000;
  async function repeat() {
    for (let now = performance.now(); now < end; now = performance.now()) {
      await send();
      latencies.push(performance.now() - now);
    }
  }
  await Promise.all(Array.from({ length: inFlight }, repeat));
  return summary(began, latencies);
}

/**
 * Sends at a fixed rate whether or not earlier requests were answered. A latency counts from the time at which its
 * request was due, so that one that had to wait behind a stall is as slow as it was to its sender.
 */
export async function openLoop(perSecond: number, seconds: number, send: () => Promise<void>): Promise<Load> {
  const latencies: number[] = [];
  const requests: Promise<void>[] = [];
  const began = performance.now();
  const fire = async (due: number) => {
    await send();
    latencies.push(performance.now() - due);
  };
  while (requests.length < perSecond * seconds) {
    const due = began + (requests.length * 1000) / perSecond;
    const early = due - performance.now();
    // The finest timer there is; waiting busily would take a core from the mesh.
    if (early > 0) await sleep(1);
    else requests.push(fire(due));
  }
  await Promise.all(requests);
  return summary(began, latencies);
}

function summary(began: number, latencies: number[]): Load {
  const seconds = (performance.now() - began) / 1000;
  return { requests: latencies.length, seconds, latencies: latencies.sort((a, b) => a - b) };
}

/** The smallest value that at least this share (in (0, 1]) of the ascending values does not exceed. */
export function percentile(ascending: readonly number[], share: number): number {
  return ascending[Math.ceil(share * ascending.length) - 1]!;
}
