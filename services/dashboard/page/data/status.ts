import { useEffect, useState } from 'preact/hooks';
import { BASE } from './client.ts';
import { pause, visible } from './live.ts';

/** Between two looks, in ms. */
const LOOKS_MS = 2000;
/** What rates are of, in ms. */
const RATED_MS = 60_000;

export interface TopicPartition {
  partition: number;
  end: number;
  /** First offset not in ClickHouse; null if that is not known. */
  inserted: number | null;
}

/** What `GET /status` answers, as far as it is shown; what only a mesh of several processes has is not always there. */
export interface Status {
  topics: readonly { topic: string; partitions: readonly TopicPartition[] }[];
  /** state_bytes are told by a mesh of one process. */
  attribution: readonly { partition: number; next_offset: number; committed: number; state_bytes?: number }[];
  stalls: readonly Stall[];
  set_aside: readonly { partition: number; records: number }[];
  models: readonly string[];
  lookback_hours: number;
  /** Where traces are looked at. */
  traces_url?: string;
  owners?: readonly { name: string; partitions: readonly number[] }[];
  watermarks?: readonly { partition: number; watermark: string }[];
  checkpoints?: readonly { partition: number; takenAt: number }[];
  warnings?: readonly string[];
}

/** Where attribution or ClickHouse does not go on. */
export interface Stall {
  reader: 'attribution' | 'ClickHouse';
  topic: string;
  partition: number;
  offset: number;
  waiting: number;
  since: string;
  reason: string;
}

/** What `GET /readyz` answers. */
export interface Readiness {
  ready: boolean;
  checks: Readonly<Record<string, { ok: boolean; reason?: string }>>;
}

/** Sums of offsets at a time. */
interface Sample {
  at: number;
  ends: number;
  folded: number;
  inserted: number;
}

export interface Health {
  /** Undefined until it is known, and where the gateway has none. */
  status?: Status | undefined;
  /** The gateway has no /status. */
  isMissing: boolean;
  readiness?: Readiness | undefined;
  /** Why the last look failed. */
  error?: unknown;
  /** Per second; undefined until two looks are known. */
  rates?: { ends: number; folded: number; inserted: number; overMs: number } | undefined;
}

/** Looks at the gateway as long as it is shown and the page is seen. */
export function useHealth(): Health {
  const [health, setHealth] = useState<Health>({ isMissing: false });
  useEffect(() => {
    const stop = new AbortController();
    watch(stop.signal, setHealth);
    return () => stop.abort();
  }, []);
  return health;
}

async function watch(signal: AbortSignal, tell: (health: Health) => void): Promise<void> {
  const samples: Sample[] = [];
  let last: Health = { isMissing: false };
  while (!signal.aborted) {
    await visible(signal);
    try {
      last = await look(samples, signal);
    } catch (error) {
      // What was known stays, and is told to be old.
      last = { ...last, error };
    }
    if (signal.aborted) return;
    tell(last);
    await pause(LOOKS_MS, signal);
  }
}

async function look(samples: Sample[], signal: AbortSignal): Promise<Health> {
  const [status, ready] = await Promise.all([
    fetch(`${BASE}/status`, { signal }),
    fetch(`${BASE}/readyz`, { signal }).catch(() => undefined),
  ]);
  // A mesh that is not ready says so with 503, and why.
  const readiness: Readiness | undefined = isJson(ready) ? await ready.json() : undefined;
  if (status.status === 404) return { isMissing: true, readiness };
  if (!status.ok) throw new Error(`GET /status answers ${status.status}: ${(await status.text()).slice(0, 200)}`);
  const known: Status = await status.json();
  samples.push(sampleOf(known));
  while (samples[0]!.at < Date.now() - RATED_MS) samples.shift();
  return { status: known, isMissing: false, readiness, rates: ratesOf(samples) };
}

function isJson(response: Response | undefined): response is Response {
  return response?.headers.get('content-type')?.includes('json') ?? false;
}

function sampleOf({ topics, attribution }: Status): Sample {
  const events = topics.find(({ topic }) => topic === 'raw-events')?.partitions ?? [];
  const all = topics.flatMap(({ partitions }) => partitions);
  return {
    at: Date.now(),
    ends: events.reduce((sum, { end }) => sum + end, 0),
    folded: attribution.reduce((sum, { next_offset }) => sum + next_offset, 0),
    inserted: all.reduce((sum, { inserted }) => sum + (inserted ?? 0), 0),
  };
}

function ratesOf(samples: readonly Sample[]): Health['rates'] {
  const [first, last] = [samples[0]!, samples.at(-1)!];
  const overMs = last.at - first.at;
  if (overMs === 0) return undefined;
  const rate = (of: 'ends' | 'folded' | 'inserted') => Math.max(0, (1000 * (last[of] - first[of])) / overMs);
  return { ends: rate('ends'), folded: rate('folded'), inserted: rate('inserted'), overMs };
}
