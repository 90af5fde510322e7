import { type CallOptions, Code, ConnectError } from '@connectrpc/connect';

const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 5000;

export interface Deadlines {
  /** Longest time of a call with all its attempts, in ms. */
  timeoutMs: number;
  /** Longest time of one attempt, in ms. */
  attemptTimeoutMs: number;
}

/** Calls until it is answered, fails for good, or the time is over; then it throws the last ConnectError. */
export async function retry<T>(deadlines: Deadlines, call: (options: CallOptions) => Promise<T>): Promise<T> {
  const giveUpAt = performance.now() + deadlines.timeoutMs;
  for (let attempt = 0; ; attempt++) {
    try {
      return await call({ timeoutMs: Math.min(deadlines.attemptTimeoutMs, giveUpAt - performance.now()) });
    } catch (thrown) {
      const error = ConnectError.from(thrown);
      const wait = backoffMs(error, attempt);
      if (!isTransient(error) || performance.now() + wait >= giveUpAt) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

function isTransient(error: ConnectError): boolean {
  switch (error.code) {
    case Code.Unavailable:
    case Code.DeadlineExceeded:
    case Code.Aborted:
    // A connection that broke, as Node tells it: nothing here cancels calls.
    case Code.Canceled:
      return true;
    case Code.ResourceExhausted:
      // Without it the request is too large, and always will be.
      return retryAfterMs(error) > 0;
    default:
      // Broken connections of Node and of fetch come with their cause; the gateway's errors have none.
      return error.cause instanceof Error;
  }
}

/** Doubles with each attempt, at random between half and whole so that clients spread; no less than the gateway asks. */
function backoffMs(error: ConnectError, attempt: number): number {
  const backoff = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempt) * (0.5 + Math.random() / 2);
  return Math.max(retryAfterMs(error), backoff);
}

function retryAfterMs(error: ConnectError): number {
  return Number(error.metadata.get('retry-after')) * 1000 || 0;
}
