import { Code, ConnectError } from '@connectrpc/connect';
import type { ReportFilter, TailEventsResponse } from '../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { stats } from './client.ts';
import { pause, visible } from './live.ts';

/** Pauses before the stream is asked for again, in ms: twice as long each time until something comes. */
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;
/** Silence that means the stream is lost, in ms: the mesh says something every 10 s. */
const SILENCE_MS = 25_000;
/** What asking again does not change. */
const FINAL: readonly Code[] = [Code.InvalidArgument, Code.Unimplemented, Code.PermissionDenied, Code.Unauthenticated];

export interface TailQuery {
  eventTypes: string[];
  filters: ReportFilter[];
  userId: string;
}

export type Connection =
  | { is: 'connecting' }
  | { is: 'open' }
  /** Times in ms since 1970-01-01 UTC. */
  | { is: 'lost'; since: number; retryAt: number }
  | { is: 'refused'; error: unknown };

interface Listener {
  connected(connection: Connection): void;
  /** @param isFirst of a stream: it begins anew with what came in the last seconds */
  received(answer: TailEventsResponse, isFirst: boolean): void;
}

/** Follows the tail of events until the signal aborts or the mesh refuses; not while the page is hidden. */
export async function followTail(query: TailQuery, listener: Listener, signal: AbortSignal): Promise<void> {
  let retryMs = FIRST_RETRY_MS;
  let lostSince: number | undefined;
  const received: Listener['received'] = (answer, isFirst) => {
    retryMs = FIRST_RETRY_MS;
    lostSince = undefined;
    listener.connected({ is: 'open' });
    listener.received(answer, isFirst);
  };
  while (!signal.aborted) {
    await visible(signal);
    const end = await readTail(query, received, signal);
    if (signal.aborted) return;
    if (end === 'hidden') continue;
    if (end !== undefined && FINAL.includes(ConnectError.from(end).code)) {
      return listener.connected({ is: 'refused', error: end });
    }
    lostSince ??= Date.now();
    listener.connected({ is: 'lost', since: lostSince, retryAt: Date.now() + retryMs });
    await pause(retryMs, signal);
    retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS);
  }
}

/** One stream. Resolves with why it ended: the error, undefined if the mesh ended it, or that the page was hidden. */
async function readTail(query: TailQuery, received: Listener['received'], signal: AbortSignal): Promise<unknown> {
  const own = new AbortController();
  const hide = () => document.hidden && own.abort();
  document.addEventListener('visibilitychange', hide);
  const stop = AbortSignal.any([signal, own.signal]);
  let silence = setTimeout(() => own.abort(), SILENCE_MS);
  try {
    let isFirst = true;
    for await (const answer of stats.tailEvents(query, { signal: stop })) {
      clearTimeout(silence);
      silence = setTimeout(() => own.abort(), SILENCE_MS);
      received(answer, isFirst);
      isFirst = false;
    }
    return undefined;
  } catch (thrown) {
    return document.hidden ? 'hidden' : thrown;
  } finally {
    clearTimeout(silence);
    document.removeEventListener('visibilitychange', hide);
  }
}
