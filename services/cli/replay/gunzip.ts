import { crc32, createInflateRaw, type InflateRaw } from 'node:zlib';

const MAGIC = [0x1f, 0x8b];
const DEFLATE = 8;
const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;
/** Bits of a header's flags: what follows it. */
const [HAS_CHECKSUM, HAS_EXTRA, HAS_NAME, HAS_COMMENT] = [2, 4, 8, 16];
/** Compressed bytes inflated at once, which are lost where one of them is wrong: at most a 64th of those before. */
const [MIN_SLICE_BYTES, MAX_SLICE_BYTES] = [512, 1 << 14];
const SLICE_SHARE = 1 / 64;
/** Bytes of a trailer's second half: how much the member has unpacked, modulo 2^32. */
const SIZE_BYTES = 4;
/** By more bytes than this a damage does not change how much is unpacked; one cut in 2,000 ends in such a number. */
const SIZE_TOLERANCE = 1 << 20;

/** What gunzip found wrong, as a sentence with the file for its subject. */
export interface GzipReport {
  /** Ends the reading. */
  fault(text: string): void;
  /** Costs nothing of the content. */
  warning(text: string): void;
}

export function isGzip(head: Buffer): boolean {
  return head[0] === MAGIC[0] && head[1] === MAGIC[1];
}

/**
 * Unpacks the members of a gzip file one after the other. Of a file that is cut off or damaged it yields what comes
 * before, reports where that ended, and ends. node:zlib's Gunzip has the last buffers lost with the error.
 */
export async function* gunzip(chunks: AsyncIterator<Buffer>, report: GzipReport): AsyncGenerator<Buffer> {
  const source = new ByteSource(chunks);
  try {
    do {
      await skipHeader(source);
      yield* inflateMember(source);
    } while (await nextMember(source, report));
  } catch (error) {
    if (!(error instanceof GzipFault)) throw error;
    report.fault(error.message);
  }
}

class GzipFault extends Error {}

/** The compressed bytes, and how many of them were taken. */
class ByteSource {
  private readonly chunks: AsyncIterator<Buffer>;
  private chunk: Buffer = Buffer.alloc(0);
  taken = 0;
  /** The bytes taken last, at most SIZE_BYTES. */
  last: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterator<Buffer>) {
    this.chunks = chunks;
  }

  /** Up to so many of the next bytes, which are not taken by that; none at the end. */
  async peek(atMost: number): Promise<Buffer> {
    while (this.chunk.length === 0) {
      const { value, done } = await this.chunks.next();
      if (done) break;
      this.chunk = value;
    }
    return this.chunk.subarray(0, atMost);
  }

  take(bytes: number): void {
    const from = Math.max(0, bytes - SIZE_BYTES);
    this.last = Buffer.concat([this.last, this.chunk.subarray(from, bytes)]).subarray(-SIZE_BYTES);
    this.chunk = this.chunk.subarray(bytes);
    this.taken += bytes;
  }

  /** Takes so many bytes. Throws a GzipFault if there are less. */
  async read(bytes: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let missing = bytes; missing > 0; ) {
      const part = await this.peek(missing);
      if (part.length === 0) throw new GzipFault(`is cut off at byte ${this.taken}`);
      this.take(part.length);
      parts.push(part);
      missing -= part.length;
    }
    return Buffer.concat(parts);
  }
}

async function skipHeader(source: ByteSource): Promise<void> {
  const begin = source.taken;
  const header = await source.read(HEADER_BYTES);
  const [, , method, flags] = header as unknown as number[];
  if (!isGzip(header) || method !== DEFLATE) throw new GzipFault(`is damaged at byte ${begin}: no header of gzip`);
  if (flags! & HAS_EXTRA) await source.read((await source.read(2)).readUInt16LE());
  if (flags! & HAS_NAME) await skipText(source);
  if (flags! & HAS_COMMENT) await skipText(source);
  if (flags! & HAS_CHECKSUM) await source.read(2);
}

async function skipText(source: ByteSource): Promise<void> {
  while ((await source.read(1))[0] !== 0);
}

async function* inflateMember(source: ByteSource): AsyncGenerator<Buffer> {
  const inflate = createInflateRaw();
  const unpacked: Buffer[] = [];
  // Flowing, so that all that a write unpacks is here when the write is done.
  inflate.on('data', (part: Buffer) => unpacked.push(part));
  let [checksum, size] = [0, 0];
  for (let ended = false; !ended; ) {
    const slice = await source.peek(sliceBytes(source.taken));
    if (slice.length === 0) throw new GzipFault(endless(source, size));
    const before = inflate.bytesWritten;
    await write(inflate, slice, source.taken);
    const used = inflate.bytesWritten - before;
    // What follows the compressed data is left alone.
    ended = used < slice.length;
    source.take(used);
    for (const part of unpacked.splice(0)) {
      checksum = crc32(part, checksum);
      size += part.length;
      yield part;
    }
  }
  inflate.close();
  const trailer = await source.read(TRAILER_BYTES);
  if (trailer.readUInt32LE(0) === checksum && trailer.readUInt32LE(4) === size % 2 ** 32) return;
  throw new GzipFault(damagedBefore(source.taken, 'its checksum is wrong'));
}

/** What is wrong where compressed data has no end: a file that has its trailer was not cut off. */
function endless({ last, taken }: ByteSource, size: number): string {
  const isTrailer = last.length === SIZE_BYTES && Math.abs(last.readUInt32LE() - (size % 2 ** 32)) <= SIZE_TOLERANCE;
  return isTrailer ? damagedBefore(taken, 'its compressed data has no end') : `is cut off at byte ${taken}`;
}

function damagedBefore(byte: number, why: string): string {
  return `is damaged somewhere before byte ${byte}: ${why}, and part of what was read may be wrong`;
}

function sliceBytes(taken: number): number {
  return Math.floor(Math.min(MAX_SLICE_BYTES, Math.max(MIN_SLICE_BYTES, taken * SLICE_SHARE)));
}

function write(inflate: InflateRaw, slice: Buffer, position: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(new GzipFault(`is damaged at byte ${position}: ${error.message}`));
    inflate.once('error', fail);
    inflate.write(slice, (error) => {
      inflate.off('error', fail);
      if (error) fail(error);
      else resolve();
    });
  });
}

/** Whether another member follows. As in gzip(1), zeros are padding, and anything else is left alone with a warning. */
async function nextMember(source: ByteSource, report: GzipReport): Promise<boolean> {
  for (;;) {
    const next = await source.peek(MIN_SLICE_BYTES);
    if (next.length === 0) return false;
    const zeros = next.findIndex((byte) => byte !== 0);
    if (zeros === 0) break;
    source.take(zeros === -1 ? next.length : zeros);
  }
  if ((await source.peek(1))[0] === MAGIC[0]) return true;
  report.warning(`has trailing garbage from byte ${source.taken} on, which is no gzip: ignored`);
  return false;
}
