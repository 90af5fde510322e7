import { isUtf8 } from 'node:buffer';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { Command } from 'commander';
import {
  type IngestResult,
  IngestService,
  type Rejection,
  RejectReason,
} from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { MAX_BATCH_ITEMS, MAX_REQUEST_BYTES } from '../../contract/limits.ts';
import { accept } from '../../gateway/event/accept.ts';
import { type Read, readItem } from '../../gateway/event/event-json.ts';
import { parseItem } from '../../gateway/event/json-items.ts';
import { integer, urlOption } from '../options.ts';
import { openInput, splitLines } from './input-lines.ts';
import { type InputEvent, openSenders, SENDERS } from './ordered-senders.ts';
import { count, startProgress } from './progress.ts';
import { openRejectFile, type RejectedLine } from './reject-file.ts';
import { sendBatch } from './send-batch.ts';

export interface ReplayOptions {
  url: string;
  /** Events a call, in [1, 1000]. */
  batch: number;
  /** Most events a second; no limit when undefined. */
  rate?: number;
  /** How long the mesh may be unavailable, in seconds. */
  timeout: number;
  /** Where rejected lines go. */
  rejects: string;
}

export interface ReplaySummary {
  /** Events that were answered: accepted or rejected by the mesh. */
  sent: number;
  accepted: number;
  /** By the mesh, or here because the line could not be read. */
  rejected: number;
  seconds: number;
  /** Why it ended before the end of the input. */
  stopped: 'interrupted' | Error | undefined;
}

/** `clickmesh replay`: sends a file of events. */
export const replayCommand = new Command('replay')
  .description('Send events from a file of NDJSON, plain or gzip, or from stdin.')
  .argument('<file>', 'one event a line, as POST /api/v1/events takes it; - for stdin')
  .addOption(urlOption())
  .option('--batch <n>', 'events a call', integer(1, MAX_BATCH_ITEMS), 500)
  .option('--rate <n>', 'most events a second', integer(1))
  .option('--timeout <s>', 'how long to try again while the mesh is unavailable', integer(0), 60)
  .option('--rejects <file>', 'where rejected lines go (default: <file>.rejects.ndjson, if there are any)')
  .addHelpText(
    'after',
    `
Events of one user are sent in their order. Sending a file again, or the rest of it, changes nothing:
events are known by their event_id.

Exit codes: 0 all accepted, 2 some rejected, 1 an error, 130 interrupted.

Examples:
  clickmesh replay events.ndjson.gz --rate 2000
  zcat events.ndjson.gz | clickmesh replay - --url https://mesh.example.com`,
  )
  .action(async (file: string, options: Omit<ReplayOptions, 'rejects'> & { rejects?: string }) => {
    const interrupt = new AbortController();
    // Once: a second Ctrl-C ends the process at once.
    process.once('SIGINT', () => interrupt.abort());
    const rejects = options.rejects ?? `${file === '-' ? 'stdin' : basename(file)}.rejects.ndjson`;
    const summary = await replay(file, { ...options, rejects }, interrupt.signal);
    process.stdout.write(`${summaryLine(summary)}\n`);
    if (summary.rejected > 0) process.stdout.write(`rejected lines are in ${rejects}\n`);
    if (summary.stopped instanceof Error) throw summary.stopped;
    process.exitCode = summary.stopped ? 130 : summary.rejected > 0 ? 2 : 0;
  });

/** Sends a file (`-`: stdin) until its end, an error, or the signal; then waits for what is in flight. */
export async function replay(file: string, options: ReplayOptions, interrupt: AbortSignal): Promise<ReplaySummary> {
  const failure = new AbortController();
  const signal = AbortSignal.any([interrupt, failure.signal]);
  const summary: ReplaySummary = { sent: 0, accepted: 0, rejected: 0, seconds: 0, stopped: undefined };
  const started = performance.now();
  const secondsSoFar = () => (performance.now() - started) / 1000;
  const input = await openInput(file, signal);
  const rejects = openRejectFile(options.rejects);
  const progress = startProgress(process.stderr, () => ({
    events: summary.sent,
    rejected: summary.rejected,
    share: input.size && input.bytesRead() / input.size,
    seconds: secondsSoFar(),
  }));
  const reject = (rejected: RejectedLine) => {
    summary.rejected++;
    rejects.write(rejected);
  };
  const { url, timeout } = options;
  const client = createClient(IngestService, createConnectTransport({ baseUrl: url, httpVersion: '1.1' }));
  const onRetry = (error: Error) => progress.note(`waiting for ${url}: ${error.message}`);
  const senders = openSenders(batchSize(options), async (batch) => {
    const events = batch.map(({ event }) => event);
    const sending = sendBatch(client, events, { timeoutMs: timeout * 1000, signal, onRetry });
    const results = await sending.catch((error) => {
      failure.abort(error);
      throw error;
    });
    summary.sent += batch.length;
    const rejections = batch.flatMap((item, i) => rejectedResult(item, results[i]!));
    rejections.forEach(reject);
    summary.accepted += batch.length - rejections.length;
  });
  const pace = options.rate ? pacer(options.rate, signal) : undefined;
  try {
    for await (const item of readEvents(input.chunks, reject)) {
      await pace?.();
      await senders.push(item);
    }
    await senders.finish();
  } catch (error) {
    summary.stopped = interrupt.aborted ? 'interrupted' : (failure.signal.reason ?? error);
  } finally {
    await senders.settle();
    progress.stop();
    rejects.close();
  }
  summary.seconds = secondsSoFar();
  return summary;
}

/** The events of the input; a line that holds none goes to `reject`. */
async function* readEvents(chunks: AsyncIterable<Buffer>, reject: (rejected: RejectedLine) => void) {
  for await (const { number: line, bytes } of splitLines(chunks, MAX_REQUEST_BYTES)) {
    if (bytes === undefined) {
      reject({ line, reason: 'too_long', message: `longer than ${MAX_REQUEST_BYTES} bytes` });
      continue;
    }
    const read = readLine(bytes);
    if (read.kind === 'event') yield { line, bytes, event: read.event };
    else reject(rejectedLine({ line, bytes }, read.rejection));
  }
}

/** The escape of a surrogate, which in JSON of valid UTF-8 is the only way to one without its other half. */
const SURROGATE = /\\u[dD][89a-fA-F]/;

/** Reads an event as POST /api/v1/events does. Lone surrogates are found here: on the way to the mesh they are lost. */
function readLine(bytes: Buffer): Read {
  const read = readItem(parseItem(bytes));
  if (read.kind === 'rejected' || (isUtf8(bytes) && !SURROGATE.test(bytes.toString('latin1')))) return read;
  const outcome = accept(read.event, { now: Date.now(), currency: 'USD' });
  return outcome.kind === 'rejected' && outcome.rejection.reason === RejectReason.MALFORMED ? outcome : read;
}

function rejectedResult(item: InputEvent, { result }: IngestResult): RejectedLine[] {
  if (result.case === 'accepted') return [];
  if (result.case === 'rejected') return [rejectedLine(item, result.value)];
  return [{ line: item.line, reason: 'unspecified', message: 'the mesh gave no result', input: item.bytes.toString() }];
}

function rejectedLine({ line, bytes }: Omit<InputEvent, 'event'>, rejection: Rejection): RejectedLine {
  const { reason, field, message } = rejection;
  // A newer mesh may have reasons that have no name here.
  const name = RejectReason[reason]?.toLowerCase() ?? `${reason}`;
  return { line, reason: name, field, message, input: bytes.toString().trim() };
}

/** Smaller batches at a low rate, so that each sender sends several times a second. */
function batchSize({ batch, rate }: ReplayOptions): number {
  return rate ? Math.min(batch, Math.ceil(rate / (4 * SENDERS))) : batch;
}

/** Returns a function that resolves `perSecond` times a second, evenly, and makes up for stalls of up to 100 ms. */
function pacer(perSecond: number, signal: AbortSignal): () => Promise<void> {
  let due = performance.now();
  return async () => {
    const now = performance.now();
    due = Math.max(due + 1000 / perSecond, now - 100);
    // Timers are no finer than a few ms.
    if (due - now > 5) await sleep(due - now, undefined, { signal });
  };
}

function summaryLine({ sent, accepted, rejected, seconds, stopped }: ReplaySummary): string {
  const rate = count(sent / Math.max(seconds, 0.001));
  const end = stopped === 'interrupted' ? 'interrupted: ' : '';
  return `${end}sent ${sent}, accepted ${accepted}, rejected ${rejected} in ${seconds.toFixed(1)} s, ${rate} events/s`;
}
