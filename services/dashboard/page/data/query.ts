import { useEffect, useState } from 'preact/hooks';

/** Answers that are kept though nothing shows them, so that Back shows them at once. */
const KEPT = 24;

interface Entry {
  value?: unknown;
  error?: unknown;
  isLoading: boolean;
  /** The answer is older than the last refresh. */
  isStale: boolean;
  load: (signal: AbortSignal) => Promise<unknown>;
  followers: Set<() => void>;
  under?: AbortController | undefined;
  /** When it was asked last, and how long that is good enough, in ms. */
  askedAt?: number;
  goodFor: number;
}

export interface Answer<T> {
  /** The newest answer, which may be of the query before while this one loads: then `isOld`. */
  value?: T | undefined;
  /** Why there is no answer. */
  error?: unknown;
  /** Why the answer could not be asked again. */
  staleError?: unknown;
  isLoading: boolean;
  isOld: boolean;
}

const entries = new Map<string, Entry>();

/**
 * Asks once for all who show the same, keeps the answer, and asks again at each refresh. Nothing is asked without a
 * key.
 *
 * @param key distinct for each question
 * @param goodFor how long a refresh leaves an answer as it is, in ms
 */
export function useQuery<T>(
  key: string | undefined,
  load: (signal: AbortSignal) => Promise<T>,
  goodFor = 0,
): Answer<T> {
  const [, render] = useState({});
  const [last, setLast] = useState<{ value?: T }>({});
  useEffect(() => {
    if (key === undefined) return;
    const entry = entryOf(key, load, goodFor);
    const tell = () => {
      if (entry.value !== undefined) setLast({ value: entry.value as T });
      render({});
    };
    entry.followers.add(tell);
    tell();
    if (entry.isStale) ask(entry);
    return () => {
      entry.followers.delete(tell);
      if (entry.followers.size === 0) entry.under?.abort();
    };
    // The key stands for what is loaded.
  }, [key]);
  const entry = key === undefined ? undefined : entries.get(key);
  const { value, error } = entry ?? {};
  const isOld = value === undefined && error === undefined && last.value !== undefined;
  return {
    value: (value as T | undefined) ?? (error === undefined ? last.value : undefined),
    error: value === undefined ? error : undefined,
    staleError: value === undefined ? undefined : error,
    isLoading: entry?.isLoading ?? key !== undefined,
    isOld,
  };
}

function entryOf(key: string, load: Entry['load'], goodFor: number): Entry {
  const known = entries.get(key);
  // The newest at the end.
  entries.delete(key);
  const entry = known ?? { isLoading: false, isStale: true, load, followers: new Set(), goodFor };
  entry.load = load;
  entries.set(key, entry);
  for (const [old, { followers }] of entries) {
    if (entries.size <= KEPT) break;
    if (followers.size === 0 && old !== key) entries.delete(old);
  }
  return entry;
}

async function ask(entry: Entry): Promise<void> {
  if (entry.isLoading) return;
  const under = new AbortController();
  Object.assign(entry, { isLoading: true, isStale: false, under, askedAt: performance.now() });
  try {
    entry.value = await entry.load(under.signal);
    entry.error = undefined;
  } catch (thrown) {
    if (under.signal.aborted) entry.isStale = true;
    else entry.error = thrown;
  }
  Object.assign(entry, { isLoading: false, under: undefined });
  for (const tell of [...entry.followers]) tell();
  if (entry.isStale && entry.followers.size > 0) ask(entry);
}

/** What is shown is asked again; what is not, when it is shown. */
export function refresh(): void {
  for (const entry of entries.values()) {
    if (performance.now() - (entry.askedAt ?? 0) < entry.goodFor) continue;
    entry.isStale = true;
    if (entry.followers.size > 0) ask(entry);
  }
}
