import { open } from 'node:fs/promises';
import { type GzipReport, gunzip, isGzip } from './gunzip.ts';

export interface Input {
  /** Unpacked. Throws an Error where the text is UTF-16. */
  chunks: AsyncIterable<Buffer>;
  /** Bytes of the file as it is on disk; undefined for stdin and pipes. */
  size: number | undefined;
  /** Bytes of `size` that have been read so far. */
  bytesRead(): number;
  /** Why the chunks ended before the file does, as a sentence without its subject. Set while they are read. */
  fault: string | undefined;
  close(): void;
}

/** Enough to tell what a file is. */
const HEAD_BYTES = 2;

/**
 * Opens a file, or stdin for `-`; what begins like gzip is unpacked. Aborting the signal ends the reading with an
 * AbortError. Throws the system's error if the file can't be opened.
 *
 * @param warn takes a sentence without its subject, which is the file
 */
export async function openInput(path: string, signal: AbortSignal, warn: (text: string) => void): Promise<Input> {
  const file = path === '-' ? undefined : await open(path);
  const stat = await file?.stat();
  const fromFile = file?.createReadStream({ signal });
  if (!file) signal.addEventListener('abort', () => process.stdin.destroy(signal.reason));
  const report: GzipReport = {
    warning: warn,
    fault(text) {
      input.fault = text;
    },
  };
  const input: Input = {
    chunks: unpacked(path, (fromFile ?? process.stdin)[Symbol.asyncIterator](), report),
    size: stat?.isFile() ? stat.size : undefined,
    bytesRead: () => fromFile?.bytesRead ?? 0,
    fault: undefined,
    close: () => fromFile?.destroy(),
  };
  return input;
}

async function* unpacked(name: string, chunks: AsyncIterator<Buffer>, report: GzipReport): AsyncGenerator<Buffer> {
  const file = await readHead(chunks);
  const text = isGzip(file.head) ? await readHead(gunzip(file.all, report)) : file;
  const encoding = otherEncoding(text.head);
  if (encoding !== undefined)
    throw new Error(`${name} is ${encoding}, not UTF-8: convert it by iconv -f ${encoding} -t UTF-8 ${name}`);
  yield* text.all;
}

/** The first bytes, fewer only if there are not more; `all` begins with them. */
async function readHead(chunks: AsyncIterator<Buffer>): Promise<{ head: Buffer; all: AsyncGenerator<Buffer> }> {
  let head = Buffer.alloc(0);
  while (head.length < HEAD_BYTES) {
    const { value, done } = await chunks.next();
    if (done) break;
    head = Buffer.concat([head, value]);
  }
  async function* all() {
    yield head;
    yield* { [Symbol.asyncIterator]: () => chunks };
  }
  return { head, all: all() };
}

/** The encoding of a text that is not UTF-8 by its first bytes: a byte order mark, or a character of ASCII. */
function otherEncoding([first, second]: Buffer): string | undefined {
  if ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0)) return 'UTF-16LE';
  if ((first === 0xfe && second === 0xff) || (first === 0 && second! > 0)) return 'UTF-16BE';
  return undefined;
}
