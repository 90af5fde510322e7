import { type TouchMemory, touchMemory } from './touch.ts';

/**
 * Memory in blocks of 128 bytes, in chains: a block's first word is the number of the next one. What grows takes another
 * block, nothing is moved, and a block that is given back fits all. Numbers of blocks are positive; 0 is none.
 */
export class Blocks {
  readonly #pages: TouchMemory[] = [];
  #spare = NO_BLOCK;
  /** The first block that was never taken. */
  #fresh = 1;
  #used = 0;

  get used(): number {
    return this.#used;
  }

  /** The memory that a block is in. */
  pageOf(block: number): TouchMemory {
    return this.#pages[block >>> PAGE_BITS]!;
  }

  /** A block that is the end of its chain. */
  take(): number {
    this.#used++;
    const block = this.#spare;
    if (block === NO_BLOCK) return this.#takeFresh();
    const { words } = this.pageOf(block);
    this.#spare = words[wordOf(block)]!;
    words[wordOf(block)] = NO_BLOCK;
    return block;
  }

  /** Takes a block and puts it behind another. */
  takeAfter(block: number): number {
    const next = this.take();
    this.pageOf(block).words[wordOf(block)] = next;
    return next;
  }

  next(block: number): number {
    return this.pageOf(block).words[wordOf(block)]!;
  }

  /** Gives back a whole chain. */
  give(first: number): void {
    for (let block = first; block !== NO_BLOCK; ) {
      const next = this.next(block);
      this.pageOf(block).words[wordOf(block)] = this.#spare;
      this.#spare = block;
      this.#used--;
      block = next;
    }
  }

  #takeFresh(): number {
    const block = this.#fresh++;
    if (block >>> PAGE_BITS >= this.#pages.length) this.#pages.push(touchMemory(BLOCK_WORDS << PAGE_BITS));
    return block;
  }
}

export const NO_BLOCK = 0;
export const BLOCK_BYTES = 128;
const BLOCK_WORDS = BLOCK_BYTES / 4;
/** A page is 1 MiB. */
const PAGE_BITS = 13;
/** Words before a block's content: the next block, and one that keeps what follows at a multiple of eight bytes. */
export const HEAD_WORDS = 2;
export const CONTENT_BYTES = BLOCK_BYTES - 4 * HEAD_WORDS;

/** Where a block begins in its page, in words. */
export function wordOf(block: number): number {
  return (block & ((1 << PAGE_BITS) - 1)) * BLOCK_WORDS;
}
