import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, Code, ConnectError } from '@connectrpc/connect';
import type { Event } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import type { IngestResult, IngestService } from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';

export interface SendOptions {
  /** How long to try again before giving up, in ms from the first try. */
  timeoutMs: number;
  /** Ends the waiting between tries; a call under way is let finish. */
  signal: AbortSignal;
  headers: Readonly<Record<string, string>>;
  /** Called before each wait. */
  onRetry(error: ConnectError): void;
}

const TRANSIENT = [Code.Unavailable, Code.ResourceExhausted, Code.DeadlineExceeded, Code.Aborted];
const CALL_TIMEOUT_MS = 15_000;
const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 5000;

/**
 * Sends a batch until it is answered; a repeated event changes nothing, so trying again is always safe. One result per
 * event, in order. Throws the last ConnectError when the time is over or when trying again can't help, and an
 * AbortError when stopped while waiting.
 */
export async function sendBatch(
  client: Client<typeof IngestService>,
  events: Event[],
  { timeoutMs, signal, headers, onRetry }: SendOptions,
): Promise<IngestResult[]> {
  const giveUpAt = performance.now() + timeoutMs;
  for (let attempt = 0; ; attempt++) {
    try {
      const { results } = await client.ingestBatch({ events }, { timeoutMs: CALL_TIMEOUT_MS, headers });
      if (results.length !== events.length) throw new Error(`${events.length} events sent, ${results.length} answered`);
      return results;
    } catch (error) {
      const wait = backoffMs(error, attempt);
      if (!isTransient(error) || performance.now() + wait > giveUpAt) throw error;
      onRetry(error);
      await sleep(wait, undefined, { signal });
    }
  }
}

function isTransient(error: unknown): error is ConnectError {
  if (!(error instanceof ConnectError)) return false;
  // The socket's own errors, such as EPIPE, come as Internal with their cause; the server's have none.
  return TRANSIENT.includes(error.code) || (error.cause instanceof Error && 'syscall' in error.cause);
}

/** A pause in ms, at least what the server asks for: doubled with each try, between half and all of it at random. */
function backoffMs(error: unknown, attempt: number): number {
  const asked = error instanceof ConnectError ? Number(error.metadata.get('retry-after')) * 1000 || 0 : 0;
  const backoff = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempt) * (0.5 + Math.random() / 2);
  return Math.max(asked, backoff);
}
