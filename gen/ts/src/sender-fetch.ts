import { AttemptFailed } from './errors.ts';
import { answerOf, connectJson, restAnswerOf, restJson } from './json.ts';
import { headersOf, type Settings } from './options.ts';
import type { Prepared } from './prepare.ts';
import { askedMs, type ErrorDetail } from './retry-after.ts';
import type { Answer, Sender } from './sender.ts';

/** Browsers refuse requests that outlive their page beyond so many bytes under way at a time (Fetch, section 4.5). */
const KEEPALIVE_BYTES = 65_536;
/** What of it requests take while the page stays. */
const STAYING_BYTES = 32_768;
/** So that two batches outlive the page, and there is room for the last one. */
const MAX_BATCH_BYTES = 15_000;
const MAX_UNDER_WAY = 2;
/** HTTP statuses of what may be taken later. */
const TRANSIENT = new Set([408, 425, 429, 502, 503, 504]);
/** Connect's codes of what may be taken later. */
const TRANSIENT_CODES = new Set(['unavailable', 'deadline_exceeded', 'aborted', 'canceled']);

/** Sends events by fetch, as JSON in the Connect protocol. */
export class FetchSender implements Sender {
  readonly maxBatchBytes = MAX_BATCH_BYTES;
  readonly maxUnderWay = MAX_UNDER_WAY;
  readonly #url: string;
  readonly #options: Pick<Settings, 'headers' | 'key'>;
  /** Bytes of bodies under way that outlive the page. */
  #keptBytes = 0;
  #isLeaving = false;

  constructor(url: string, options: Pick<Settings, 'headers' | 'key'>) {
    this.#url = url;
    this.#options = options;
  }

  async sendBatch(events: readonly Prepared[], timeoutMs: number, signal: AbortSignal): Promise<Answer[]> {
    const isPlain = this.#isLeaving && this.#options.headers === undefined && this.#options.key === undefined;
    const results = await (isPlain
      ? this.#asText(events, timeoutMs, signal)
      : this.#asConnect(events, timeoutMs, signal));
    if (results?.length === events.length) return results;
    throw new AttemptFailed('the answer is none of a gateway', 'unknown', false);
  }

  whenLeaving(send: (room: () => number) => void): void {
    this.#isLeaving = true;
    send(() => this.#room());
    this.#isLeaving = false;
  }

  close(): void {}

  async #asConnect(events: readonly Prepared[], timeoutMs: number, signal: AbortSignal): Promise<Answer[] | undefined> {
    const body = `{"events":[${events.map(connectJson).join(',')}]}`;
    const headers = {
      'content-type': 'application/json',
      'connect-protocol-version': '1',
      'connect-timeout-ms': String(timeoutMs),
    };
    const json = await this.#post('/clickmesh.v1.IngestService/IngestBatch', headers, body, timeoutMs, signal);
    return (json as { results?: Parameters<typeof answerOf>[0][] }).results?.map(answerOf);
  }

  /** To the REST API, as text: that needs no preflight, whose answer would come too late for a page that is left. */
  async #asText(events: readonly Prepared[], timeoutMs: number, signal: AbortSignal): Promise<Answer[] | undefined> {
    const headers = { 'content-type': 'text/plain' };
    const json = await this.#post('/api/v1/events', headers, `[${events.map(restJson).join(',')}]`, timeoutMs, signal);
    return (json as { results?: Parameters<typeof restAnswerOf>[0][] }).results?.map(restAnswerOf);
  }

  #room(): number {
    return (this.#isLeaving ? KEEPALIVE_BYTES : STAYING_BYTES) - this.#keptBytes;
  }

  async #post(
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<unknown> {
    const bytes = new TextEncoder().encode(body);
    const keepalive = bytes.byteLength <= this.#room();
    const kept = keepalive ? bytes.byteLength : 0;
    this.#keptBytes += kept;
    const ended = new AbortController();
    const end = () => ended.abort(signal.reason);
    signal.addEventListener('abort', end);
    const timer = setTimeout(() => ended.abort(timedOut(timeoutMs)), timeoutMs);
    try {
      // Without any, the request must leave now: the page may be gone a moment later.
      const isOwn = this.#options.headers !== undefined || this.#options.key !== undefined;
      const own = isOwn ? await headersOf(this.#options) : {};
      const answer = await fetch(this.#url + path, {
        method: 'POST',
        headers: { ...headers, ...own },
        body: bytes,
        keepalive,
        signal: ended.signal,
      });
      const text = await answer.text();
      if (answer.ok) return JSON.parse(text);
      throw failureOf(answer, text);
    } catch (thrown) {
      if (thrown instanceof AttemptFailed) throw thrown;
      if (ended.signal.reason instanceof AttemptFailed) throw ended.signal.reason;
      // A connection that broke, or an answer that was cut off.
      throw new AttemptFailed((thrown as Error).message, 'unavailable', true, 0, thrown);
    } finally {
      this.#keptBytes -= kept;
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
    }
  }
}

function timedOut(timeoutMs: number): AttemptFailed {
  return new AttemptFailed(`no answer in ${timeoutMs} ms`, 'deadline_exceeded', true);
}

/** An error in Connect's JSON, or in that of a proxy. */
function failureOf({ status, headers }: Response, text: string): AttemptFailed {
  let error: { code?: string; message?: string; details?: ErrorDetail[] } = {};
  try {
    error = JSON.parse(text);
  } catch {
    // A page of a proxy.
  }
  const { code, message = `HTTP ${status}`, details } = error ?? {};
  const retryAfterMs = askedMs(headers.get('retry-after'), details);
  if (code === undefined) return new AttemptFailed(message, `http_${status}`, TRANSIENT.has(status), retryAfterMs);
  const isTransient = TRANSIENT_CODES.has(code) || (code === 'resource_exhausted' && retryAfterMs > 0);
  return new AttemptFailed(message, code, isTransient, retryAfterMs);
}
