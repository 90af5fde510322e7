import { open } from 'node:fs/promises';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { isBlank } from '../../gateway/event/json-items.ts';

export interface Line {
  /** The first line is 1. */
  number: number;
  /** Without the line break; undefined where the line is longer than the limit. */
  bytes: Buffer | undefined;
}

export interface Input {
  chunks: AsyncIterable<Buffer>;
  /** Bytes of the file as it is on disk; undefined for stdin and pipes. */
  size: number | undefined;
  /** Bytes of `size` that have been read so far. */
  bytesRead(): number;
}

const NEWLINE = 0x0a;

/**
 * Opens a file, or stdin for `-`; what begins like gzip is unpacked. Aborting the signal ends the reading with an
 * AbortError. Throws the system's error if the file can't be opened.
 */
export async function openInput(path: string, signal: AbortSignal): Promise<Input> {
  const file = path === '-' ? undefined : await open(path);
  const stat = await file?.stat();
  const fromFile = file?.createReadStream({ signal });
  const source: Readable = fromFile ?? process.stdin;
  if (!file) signal.addEventListener('abort', () => process.stdin.destroy(signal.reason));
  const size = stat?.isFile() ? stat.size : undefined;
  return { chunks: unpacked(source[Symbol.asyncIterator]()), size, bytesRead: () => fromFile?.bytesRead ?? 0 };
}

/** Splits at line feeds, skips blank lines, and keeps no more than one chunk and one line of `maxBytes` in memory. */
export async function* splitLines(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Line> {
  let number = 1;
  let rest: Buffer[] = [];
  let restBytes = 0;
  const add = (part: Buffer) => {
    restBytes += part.length;
    if (restBytes <= maxBytes) rest.push(part);
    else rest = [];
  };
  const take = (): Line => {
    const bytes = restBytes <= maxBytes ? Buffer.concat(rest) : undefined;
    rest = [];
    restBytes = 0;
    return { number: number++, bytes };
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      add(chunk.subarray(start, end));
      start = end + 1;
      const line = take();
      if (!isEmpty(line)) yield line;
    }
    add(chunk.subarray(start));
  }
  const last = take();
  if (!isEmpty(last)) yield last;
}

function isEmpty({ bytes }: Line): boolean {
  return bytes !== undefined && isBlank(bytes);
}

async function* unpacked(chunks: AsyncIterableIterator<Buffer>): AsyncGenerator<Buffer> {
  let head = Buffer.alloc(0);
  while (head.length < 2) {
    const { value, done } = await chunks.next();
    if (done) break;
    head = Buffer.concat([head, value]);
  }
  async function* all() {
    yield head;
    yield* chunks;
  }
  const gzip = head[0] === 0x1f && head[1] === 0x8b;
  // pipeline destroys the gunzip with the source's error, so its reader sees it.
  yield* gzip ? pipeline(all(), createGunzip(), () => {}) : all();
}
