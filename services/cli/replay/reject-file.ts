import { closeSync, openSync, unlinkSync, writeFileSync } from 'node:fs';

/** A piece of the input that is no accepted event. */
export interface Rejected {
  /** Its place among the pieces of the input. */
  index: number;
  /** Line of the input, from 1. */
  line: number;
  /** As it came; undefined if it is too long. */
  bytes: Buffer | undefined;
  why: Reason;
}

export interface Reason {
  /** The reject reason in lower case, such as "too_long". */
  reason: string;
  field: string;
  message: string;
  /** What came, cut; empty if that tells nothing. */
  received: string;
  /** Empty if there is none. */
  event_id: string;
}

/** Bytes of rejects that wait for what stands before them, beyond which `isFull`. */
const MAX_WAITING_BYTES = 16 << 20;
/** About what a rejected event takes without its bytes. */
const ENTRY_BYTES = 500;

/**
 * The rejects of a run in the order of the input: a file of what was rejected, as it came, and beside it one of the
 * reasons, a line of JSON each. They are created with the first reject, under a number that no other run has.
 */
export class RejectFile {
  private readonly base: string;
  private files: { rejects: number; reasons: number } | undefined;
  private waiting: Rejected[] = [];
  private waitingBytes = 0;
  /** The next line of the file of rejects. */
  private line = 1;
  /** The file of the rejects; undefined before the first. */
  path: string | undefined;

  /** @param base beginning of the path, which a number ends */
  constructor(base: string) {
    this.base = base;
  }

  /** Whether what stands before the rejects that wait should be brought to an end. */
  get isFull(): boolean {
    return this.waitingBytes > MAX_WAITING_BYTES;
  }

  /** Keeps a reject until it is written in its order. */
  add({ index, line, bytes, why }: Rejected): void {
    // A copy, as the bytes are part of a chunk of the input, which they would keep in memory.
    const rejected = { index, line, bytes: bytes && Buffer.from(bytes), why };
    this.waiting.push(rejected);
    this.waitingBytes += sizeOf(rejected);
  }

  /** Writes the rejects before an index, of which no more will come. Throws the system's error if it can't. */
  writeBefore(index: number): void {
    if (this.waiting.length === 0) return;
    this.waiting.sort((a, b) => a.index - b.index);
    const later = this.waiting.findIndex((rejected) => rejected.index >= index);
    this.write(this.waiting.splice(0, later === -1 ? this.waiting.length : later));
  }

  /** Writes the rejects that wait. */
  close(): void {
    this.writeBefore(Number.POSITIVE_INFINITY);
    if (this.files === undefined) return;
    closeSync(this.files.rejects);
    closeSync(this.files.reasons);
  }

  private write(ready: Rejected[]): void {
    if (ready.length === 0) return;
    this.files ??= this.create();
    const rejects: Buffer[] = [];
    const reasons: string[] = [];
    for (const rejected of ready) {
      const { line, bytes, why } = rejected;
      this.waitingBytes -= sizeOf(rejected);
      const where = bytes === undefined ? { input_line: line } : { line: this.line, input_line: line };
      reasons.push(`${JSON.stringify({ ...where, ...why })}\n`);
      if (bytes === undefined) continue;
      rejects.push(bytes, NEWLINE);
      for (let at = 0; at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) this.line++;
    }
    writeFileSync(this.files.rejects, Buffer.concat(rejects));
    writeFileSync(this.files.reasons, reasons.join(''));
  }

  private create(): { rejects: number; reasons: number } {
    for (let number = 1; ; number++) {
      const path = `${this.base}-${number}`;
      const rejects = createFile(path);
      if (rejects === undefined) continue;
      const reasons = createFile(reasonsOf(path));
      if (reasons !== undefined) {
        this.path = path;
        return { rejects, reasons };
      }
      closeSync(rejects);
      unlinkSync(path);
    }
  }
}

const NEWLINE = Buffer.from('\n');

function sizeOf({ bytes }: Rejected): number {
  return ENTRY_BYTES + (bytes?.length ?? 0);
}

/** The file of the reasons beside a file of rejects. */
export function reasonsOf(path: string): string {
  return `${path}.reasons`;
}

/** Returns undefined if the file exists. */
function createFile(path: string): number | undefined {
  try {
    return openSync(path, 'wx');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw new Error(`rejected events can't be written: ${(error as Error).message}; --rejects names another place`);
  }
}
