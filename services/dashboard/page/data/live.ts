import type { RunReportRequest } from '../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { store } from '../state/store.ts';
import { stats } from './client.ts';
import { askMesh, mesh } from './mesh.ts';
import { refresh } from './query.ts';

/** Pause before the stream is asked for again once it is lost, in ms. */
const RETRY_MS = 2000;
/** Between two looks of the stream, in ms: what changes is to be seen within two seconds, with what is asked then. */
const LOOKS_MS = 500;
export interface Freshness {
  /** As in ReportStamp. */
  completeThrough: number;
  lagMs: number;
  /** Since when no news came, in ms since 1970-01-01 UTC; undefined while they come. */
  lostSince?: number | undefined;
}

/** Undefined until something is known. */
export const freshness = store<Freshness | undefined>(undefined);

/**
 * Follows what a report counts: whatever is shown is asked again when that changes, and when more is counted. One
 * stream for the page, none while it is hidden. Ends when the signal aborts.
 */
export async function follow(query: RunReportRequest, signal: AbortSignal): Promise<void> {
  let cursor = '';
  while (!signal.aborted) {
    await visible(signal);
    const hidden = new AbortController();
    const stop = AbortSignal.any([signal, hidden.signal]);
    const hide = () => document.hidden && hidden.abort();
    document.addEventListener('visibilitychange', hide, { signal });
    try {
      for await (const news of stats.watchReport({ query, cursor, periodMs: LOOKS_MS }, { signal: stop })) {
        cursor = news.cursor;
        tell(Number(news.completeThrough), Number(news.lagMs), news.report !== undefined);
      }
    } catch {
      if (!stop.aborted) lose();
    }
    document.removeEventListener('visibilitychange', hide);
    if (!stop.aborted) await pause(RETRY_MS, signal);
  }
}

function tell(completeThrough: number, lagMs: number, isChanged: boolean): void {
  const before = freshness.get();
  freshness.set({ completeThrough, lagMs });
  if (isChanged && mesh.get()?.isEmpty) askMesh();
  if (before !== undefined && (isChanged || completeThrough > before.completeThrough)) refresh();
}

function lose(): void {
  const before = freshness.get();
  if (before !== undefined && before.lostSince === undefined) freshness.set({ ...before, lostSince: Date.now() });
}

/** Resolves once the page is seen. */
export async function visible(signal: AbortSignal): Promise<void> {
  while (document.hidden && !signal.aborted) {
    await new Promise((resolve) => {
      document.addEventListener('visibilitychange', resolve, { once: true });
      signal.addEventListener('abort', resolve, { once: true });
    });
  }
}

/** Resolves after that time, or when the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
