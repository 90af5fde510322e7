import { hashOf } from './string-table.ts';

/** About the bytes that a text takes beside its own. */
const TEXT_BYTES = 100;
const NONE = -1;

/** Texts, each kept once and named by a number. */
export class NumberedTexts {
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];
  readonly #hashes: number[] = [];
  /** The text that was asked for last, as most are. */
  #last: string | undefined;
  #lastNumber = NONE;
  bytesUsed = 0;

  numberOf(text: string): number {
    if (text === this.#last) return this.#lastNumber;
    const known = this.#numbers.get(text);
    if (known !== undefined) {
      this.#last = text;
      this.#lastNumber = known;
      return known;
    }
    const number = this.#texts.push(text) - 1;
    this.#numbers.set(text, number);
    const bytes = Buffer.from(text);
    this.#hashes.push(hashOf(bytes, 0, bytes.length));
    this.bytesUsed += TEXT_BYTES + 2 * text.length;
    return number;
  }

  textOf(number: number): string {
    return this.#texts[number]!;
  }

  hashOf(number: number): number {
    return this.#hashes[number]!;
  }

  clear(): void {
    this.#numbers.clear();
    this.#last = undefined;
    this.#texts.length = this.#hashes.length = this.bytesUsed = 0;
  }
}
