import { type TouchMemory, touchMemory } from './touch-memory.ts';

/**
 * Memory in blocks of 128 bytes, in chains: a block's first word is the number of the one before it. What grows takes
 * another block, nothing is moved, and a block that is given back fits all. A chain is followed backwards from its last
 * block, as mostly what was added last is looked for. Numbers of blocks are positive; 0 is none.
 */
export class BlockPool {
  readonly #pages: TouchMemory[] = [];
  #spare = NO_BLOCK;
  /** The first block that was never taken. */
  #fresh = 1;
  /** Blocks in chains. */
  used = 0;
  #chain = new Int32Array(1024);

  /** The memory that a block is in. */
  pageOf(block: number): TouchMemory {
    return this.#pages[block >>> PAGE_BITS]!;
  }

  /** Takes a block and puts it behind the last one of a chain, if there is one. */
  take(last: number): number {
    this.used++;
    let block = this.#spare;
    if (block === NO_BLOCK) block = this.#takeFresh();
    else this.#spare = this.before(block);
    this.pageOf(block).words[wordOf(block)] = last;
    return block;
  }

  before(block: number): number {
    return this.pageOf(block).words[wordOf(block)]!;
  }

  /**
   * The blocks of a chain by their places in it, from `begin` to before `end`, where it ends; only these places are
   * good, until the next call.
   */
  follow(last: number, begin: number, end: number): Int32Array {
    if (end > this.#chain.length) this.#chain = new Int32Array(2 * end);
    let block = last;
    for (let i = end - 1; i >= begin; i--) {
      this.#chain[i] = block;
      block = this.before(block);
    }
    return this.#chain;
  }

  /** Gives back a whole chain. */
  give(last: number): void {
    for (let block = last; block !== NO_BLOCK; ) {
      const before = this.before(block);
      this.pageOf(block).words[wordOf(block)] = this.#spare;
      this.#spare = block;
      this.used--;
      block = before;
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
/** Words before a block's content: the block before, and one that keeps what follows at a multiple of eight bytes. */
export const HEAD_WORDS = 2;
export const CONTENT_BYTES = BLOCK_BYTES - 4 * HEAD_WORDS;

/** Where a block begins in its page, in words. */
export function wordOf(block: number): number {
  return (block & ((1 << PAGE_BITS) - 1)) * BLOCK_WORDS;
}
