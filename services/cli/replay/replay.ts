import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectError, createClient } from '@connectrpc/connect';
import { Command } from 'commander';
import { IngestService } from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import type { EventType } from '../../contract/event-rules.ts';
import { MAX_BATCH_ITEMS, MAX_REQUEST_BYTES } from '../../contract/limits.ts';
import { NAMES_IGNORED, namesIgnoredText } from '../../contract/names-ignored.ts';
import { integer, urlOption } from '../options.ts';
import { print } from '../print.ts';
import { meshTransport } from '../reach-mesh.ts';
import { type Input, openInput } from './input.ts';
import { type Piece, ValueSplitter } from './json-values.ts';
import { type InputEvent, openSenders, SENDERS } from './ordered-senders.ts';
import { startProgress } from './progress.ts';
import { readEvent, reasonOf, TOO_LONG } from './read-event.ts';
import { type Rejected, RejectFile } from './reject-file.ts';
import { resultCounter } from './result-counter.ts';
import { sendBatch } from './send-batch.ts';
import { ReplaySummary, summaryText } from './summary.ts';

export interface ReplayOptions {
  url: string;
  /** Events a call, in [1, 1000]. */
  batch: number;
  /** Most events a second; no limit when undefined. */
  rate?: number;
  /** How long the mesh may be unavailable, in seconds. */
  timeout: number;
  /** Beginning of the path of the rejects; beside the input when undefined. */
  rejects?: string;
}

/** `clickmesh replay`: sends a file of events. */
export const replayCommand = new Command('replay')
  .description('Send events from a file of JSON, plain or gzip, or from stdin.')
  .argument(
    '<file>',
    'events as POST /api/v1/events takes them: NDJSON, arrays, or JSON over several lines; - for stdin',
  )
  .addOption(urlOption())
  .option('--batch <n>', 'events a call', integer(1, MAX_BATCH_ITEMS), 500)
  .option('--rate <n>', 'most events a second', integer(1))
  .option('--timeout <s>', 'how long to try again while the mesh is unavailable', integer(0), 60)
  .option('--rejects <path>', 'where rejected events go, as <path>-1, -2, ... (default: <file>.rejects)')
  .addHelpText(
    'after',
    `
Events of one user are sent in their order. Sending a file again, or the rest of it, changes nothing: events are known
by their event_id for EVENT_ID_DAYS of the mesh (30) after they arrived. What is older than that is warned about: if the
mesh had it before, it counts twice.

Texts are taken as they are: nothing is decoded, trimmed or case-folded. Times are milliseconds since 1970-01-01 UTC, or
RFC 3339 with a zone. Two event_ids are two clicks, and every click counts, of bots, too.

Rejected events are written as they came to <file>.rejects-1 (-2, ... where that exists), and why, a line of JSON each,
to <file>.rejects-1.reasons. Mend the former in place and replay it. What is rejected here is what POST /api/v1/events
rejects, in the same words. A gzip file that is cut off or damaged is sent up to there.

Exit codes: 0 all accepted, 2 some rejected, 1 an error or a damaged file, 130 interrupted.

Examples:
  clickmesh replay events.ndjson.gz --rate 2000
  zcat events.ndjson.gz | clickmesh replay - --url https://mesh.example.com
  sed -i 's/"userid"/"user_id"/' events.ndjson.rejects-1 && clickmesh replay events.ndjson.rejects-1`,
  )
  .action(async (file: string, options: ReplayOptions) => {
    const interrupt = new AbortController();
    // Once: a second Ctrl-C ends the process at once.
    process.once('SIGINT', () => interrupt.abort());
    const summary = await replay(file, options, interrupt.signal);
    print(summaryText(summary));
    if (summary.stopped instanceof Error) throw summary.stopped;
    process.exitCode = summary.stopped ? 130 : summary.rejected > 0 ? 2 : 0;
  });

/** Sends a file (`-`: stdin) until its end, an error, or the signal; then waits for what is in flight. */
export async function replay(file: string, options: ReplayOptions, interrupt: AbortSignal): Promise<ReplaySummary> {
  const { url, timeout, rate } = options;
  const name = file === '-' ? 'stdin' : file;
  const failure = new AbortController();
  const signal = AbortSignal.any([interrupt, failure.signal]);
  const summary = new ReplaySummary();
  const started = performance.now();
  const secondsSoFar = () => (performance.now() - started) / 1000;
  const warn = (text: string) => progress.write(`warning: ${name} ${text}`);
  const input = await openInput(file, signal, warn);
  const rejects = new RejectFile(options.rejects ?? `${name}.rejects`);
  const progress = startProgress(process.stderr, () => ({
    events: summary.sent,
    rejected: summary.rejected,
    share: input.size && input.bytesRead() / input.size,
    seconds: secondsSoFar(),
  }));
  const client = createClient(IngestService, meshTransport(url));
  const onRetry = (error: ConnectError) => progress.note(`waiting: ${error.rawMessage}`);
  const count = resultCounter(url, { summary, rejects, warn });
  const senders = openSenders({
    maxEvents: batchSize(options),
    async send(batch) {
      const events = batch.map(({ event }) => event);
      const options = { timeoutMs: timeout * 1000, signal, headers: headersOf(batch), onRetry };
      await count(batch, await sendBatch(client, events, options));
    },
    answered: (oldest) => rejects.writeBefore(oldest),
    failed: (error) => failure.abort(error),
  });
  const pace = rate ? pacer(rate, signal) : undefined;
  try {
    for await (const item of readEvents(input, warn)) {
      if ('why' in item) {
        summary.countRejected(item.why);
        rejects.add(item);
      } else {
        await pace?.();
        await senders.push(item);
      }
      if (!rejects.isFull) continue;
      await senders.finish();
      rejects.writeBefore(Number.POSITIVE_INFINITY);
    }
    await senders.finish();
    if (input.fault !== undefined) summary.stopped = new Error(`${name} ${input.fault}`);
  } catch (error) {
    summary.stopped = interrupt.aborted ? 'interrupted' : (failure.signal.reason ?? error);
  } finally {
    await senders.settle();
    input.close();
    progress.stop();
    rejects.close();
  }
  summary.rejects = rejects.path;
  summary.seconds = secondsSoFar();
  return summary;
}

/** The events of the input, and the pieces of it that are none. */
async function* readEvents(input: Input, warn: (text: string) => void): AsyncGenerator<InputEvent | Rejected> {
  const splitter = new ValueSplitter(MAX_REQUEST_BYTES);
  let index = 0;
  let firstUnread: number | undefined;
  function read(piece: Piece): InputEvent | Rejected {
    const item = readPiece(piece, index++);
    if ('why' in item) firstUnread ??= item.line;
    return item;
  }
  for await (const chunk of input.chunks) for (const piece of splitter.add(chunk)) yield read(piece);
  for (const piece of splitter.end()) yield read(piece);
  const { line, arrayLine } = splitter;
  if (input.fault !== undefined) input.fault += `; ${howFar(line, firstUnread)}`;
  else if (arrayLine !== undefined) warn(`ends inside of the array that begins in line ${arrayLine}: is it complete?`);
}

/** What is wrong with a file shows in its lines first: where a checksum of all of it is wrong, that is all there is. */
function howFar(lastLine: number, firstUnread: number | undefined): string {
  const sent = `sent up to line ${lastLine} of its content`;
  if (firstUnread === undefined || firstUnread === lastLine) return sent;
  return `${sent}, of which line ${firstUnread} is the first that is no event`;
}

function readPiece({ line, bytes }: Piece, index: number): InputEvent | Rejected {
  if (bytes === undefined) return { index, line, bytes, why: TOO_LONG };
  const read = readEvent(bytes, line);
  if (read.kind === 'rejected') return { index, line, bytes, why: reasonOf(read.rejection) };
  return { index, line, bytes, event: read.event, ignored: read.ignored };
}

/** Tells the mesh what it can't see: names that were left out of the messages. */
function headersOf(batch: readonly InputEvent[]): Record<string, string> {
  const names = new Map<EventType, number>();
  for (const { event, ignored } of batch) {
    const type = event.event.case!;
    if (ignored.length > 0) names.set(type, (names.get(type) ?? 0) + ignored.length);
  }
  const text = namesIgnoredText(names);
  return text === undefined ? {} : { [NAMES_IGNORED]: text };
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
