import { AttemptFailed } from './errors.ts';

const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 5000;
/** Longest wait that the gateway may ask for, in ms. */
const MAX_RETRY_AFTER_MS = 60_000;
/** With less time left, no further attempt is begun. */
const LEAST_MS = 50;

export interface Deadlines {
  /** Longest time of a call with all its attempts, in ms. */
  timeoutMs: number;
  /** Longest time of one attempt, in ms. */
  attemptTimeoutMs: number;
}

/** One attempt of a call, which takes at most `timeoutMs`, an integer from 1. Throws AttemptFailed. */
export type Attempt<T> = (timeoutMs: number, signal: AbortSignal) => Promise<T>;

/** A call that was given up. `message` says what failed, how often it was tried, and for how long. */
export class GivenUp extends Error {
  readonly code: string;

  constructor(message: string, code: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** Calls until it is answered, fails for good, the time is over or the signal says so; then it throws GivenUp. */
export async function attempts<T>(
  { timeoutMs, attemptTimeoutMs }: Deadlines,
  signal: AbortSignal,
  attempt: Attempt<T>,
): Promise<T> {
  const begin = performance.now();
  const giveUpAt = begin + timeoutMs;
  for (let tries = 1; ; tries++) {
    const left = giveUpAt - performance.now();
    try {
      if (signal.aborted) throw reasonOf(signal);
      return await attempt(Math.max(1, Math.ceil(Math.min(attemptTimeoutMs, left))), signal);
    } catch (thrown) {
      const error = signal.aborted ? reasonOf(signal) : asFailed(thrown);
      const wait = waitMs(error, tries, giveUpAt - performance.now());
      if (wait === undefined) throw givenUp(error, tries, performance.now() - begin);
      await sleep(wait, signal);
    }
  }
}

/** How long to wait before the next attempt, in ms; undefined if there is none. Full jitter, so that clients spread. */
function waitMs({ isTransient, retryAfterMs }: AttemptFailed, tries: number, left: number): number | undefined {
  const asked = Math.min(retryAfterMs, MAX_RETRY_AFTER_MS);
  if (!isTransient || left < LEAST_MS || asked >= left) return undefined;
  const backoff = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (tries - 1)) * Math.random();
  // The last attempt is just before the end.
  return Math.max(asked, Math.min(backoff, left - LEAST_MS));
}

function givenUp(error: AttemptFailed, tries: number, tookMs: number): GivenUp {
  const times = `${tries} ${tries === 1 ? 'attempt' : 'attempts'}`;
  const why = error.message.replace(/\s+/g, ' ');
  const isNamed = why.startsWith(`[${error.code}]`);
  return new GivenUp(
    `given up after ${times} in ${(tookMs / 1000).toFixed(1)} s: ${isNamed ? '' : `${error.code}: `}${why}`,
    error.code,
    error,
  );
}

/** A call that its caller or close() ended. */
function reasonOf({ reason }: AbortSignal): AttemptFailed {
  const why = reason instanceof Error ? reason.message : String(reason);
  return new AttemptFailed(why, 'canceled', false, 0, reason);
}

function asFailed(thrown: unknown): AttemptFailed {
  if (thrown instanceof AttemptFailed) return thrown;
  return new AttemptFailed(String((thrown as Error)?.message ?? thrown), 'unknown', false, 0, thrown);
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
