import { newSpareMemory } from '../../system/spare-memory.ts';
import type { Touch } from '../decision/state.ts';

/** Candidates of a decision that have no credit under any model, for the same reasons: from `from` to before `to`. */
export interface Uncredited {
  touches: readonly Touch[];
  from: number;
  to: number;
}

/** Candidates without credit that lie in a page, from the latest to the earliest. */
export interface Written extends Uncredited {
  page: Buffer;
  /** Where each begins in the page, in the order in which they are written, and where the last one ends. */
  starts: number[];
}

/** Bytes of a page: it holds some hundred decisions. */
const PAGE_BYTES = 1 << 20;
/** Most bytes of pages kept. */
const SPARE_BYTES = 16 << 20;
const sparePages = newSpareMemory(SPARE_BYTES);

/** Memory that the outputs of a batch lie in, one after the other, until they are published. */
export class OutputMemory {
  page: Buffer = Buffer.alloc(0);
  /** Bytes of the page that are taken. */
  used = 0;
  /** Where many candidates were written last, by user and reasons. */
  readonly written = new Map<string, Written>();
  readonly #pages: Buffer[] = [];

  /** Makes room for some bytes more, one after the other. */
  reserve(bytes: number): void {
    if (this.used + bytes <= this.page.length) return;
    const spare = bytes <= PAGE_BYTES ? sparePages.take() : undefined;
    this.page = spare ?? Buffer.allocUnsafeSlow(Math.max(bytes, PAGE_BYTES));
    this.used = 0;
    if (this.page.length === PAGE_BYTES) this.#pages.push(this.page);
  }

  /** Takes what of the page was written up to here. */
  take(end: number): Buffer {
    const taken = this.page.subarray(this.used, end);
    this.used = end;
    return taken;
  }

  /** Gives the memory back, for outputs of other batches: those in it are used no more. */
  release(): void {
    for (const page of this.#pages) sparePages.give(page);
    this.#pages.length = 0;
    this.written.clear();
    this.page = Buffer.alloc(0);
    this.used = 0;
  }
}
