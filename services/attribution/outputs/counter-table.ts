import type { CounterKey } from '../decision/effects.ts';

const FIRST_COUNTERS = 1024;
const NONE = -1;

/** What a counter counts, in words: number of its campaign and source | day | number of its type | of its model. */
const KEY_WORDS = 4;
const CAMPAIGN_SOURCE = 0;
const DAY = 1;
const TYPE = 2;
const MODEL = 3;

/** About the bytes that a counter takes: columns, of which up to half is free, and its places in the hash table. */
const COUNTER_BYTES = 128;
/** About the bytes that a text takes beside its own. */
const TEXT_BYTES = 100;

/** What a counter counts but for its campaign and source. */
type CounterSeries = Pick<CounterKey, 'day' | 'conversionType' | 'model'>;

/**
 * Counters, each a number, by which its values lie in columns: objects of tens of thousands of counters, with big
 * integers of their own, were most of what V8 had to mark. Only counters that exist take memory, however many days,
 * types, models and campaigns there are.
 */
export class CounterTable {
  count = 0;
  columns = newColumns(FIRST_COUNTERS);
  #keys = new Int32Array(FIRST_COUNTERS * KEY_WORDS);
  /** Numbers of counters by the hash of their keys, by linear probing. At most half is in use. */
  #places = new Int32Array(2 * FIRST_COUNTERS).fill(NONE);
  readonly #types = new NumberedTexts();
  readonly #models = new NumberedTexts();

  /** About the memory that it takes, in bytes. */
  get bytesUsed(): number {
    return this.count * COUNTER_BYTES + this.#types.bytesUsed;
  }

  /** The number of a counter, which is taken in, with no values, if it is new. */
  numberOf(campaignSource: number, day: number, conversionType: string, model: string): number {
    const [type, ofModel] = [this.#types.numberOf(conversionType), this.#models.numberOf(model)];
    const mask = this.#places.length - 1;
    let place = hashOf(campaignSource, day, type, ofModel) & mask;
    for (; ; place = (place + 1) & mask) {
      const counter = this.#places[place]!;
      if (counter === NONE) break;
      const at = counter * KEY_WORDS;
      if (
        this.#keys[at + CAMPAIGN_SOURCE] === campaignSource &&
        this.#keys[at + TYPE] === type &&
        this.#keys[at + MODEL] === ofModel &&
        this.#keys[at + DAY] === day
      )
        return counter;
    }
    const counter = this.count++;
    this.#places[place] = counter;
    const at = counter * KEY_WORDS;
    this.#keys[at + CAMPAIGN_SOURCE] = campaignSource;
    this.#keys[at + DAY] = day;
    this.#keys[at + TYPE] = type;
    this.#keys[at + MODEL] = ofModel;
    if (this.count === this.columns.flags.length) this.#grow();
    return counter;
  }

  campaignSourceOf(counter: number): number {
    return this.#keys[counter * KEY_WORDS + CAMPAIGN_SOURCE]!;
  }

  seriesOf(counter: number): CounterSeries {
    const at = counter * KEY_WORDS;
    return {
      day: this.#keys[at + DAY]!,
      conversionType: this.#types.textOf(this.#keys[at + TYPE]!),
      model: this.#models.textOf(this.#keys[at + MODEL]!),
    };
  }

  /** Forgets all counters. Memory for about so many bytes of them stays: to be given back it need not be allocated. */
  clear(bytes: number): void {
    this.#types.clear();
    this.count = 0;
    if (this.columns.flags.length * COUNTER_BYTES <= 2 * bytes) {
      this.#places.fill(NONE);
      return;
    }
    this.columns = newColumns(FIRST_COUNTERS);
    this.#keys = new Int32Array(FIRST_COUNTERS * KEY_WORDS);
    this.#places = new Int32Array(2 * FIRST_COUNTERS).fill(NONE);
  }

  #grow(): void {
    const size = 2 * this.count;
    const [before, keys] = [this.columns, this.#keys];
    this.columns = newColumns(size);
    // The compiler does not see that the two columns of a name have one type.
    for (const name of Object.keys(before) as (keyof Columns)[]) this.columns[name].set(before[name] as never);
    this.#keys = new Int32Array(size * KEY_WORDS);
    this.#keys.set(keys);
    this.#places = new Int32Array(2 * size).fill(NONE);
    const mask = this.#places.length - 1;
    for (let counter = 0; counter < this.count; counter++) {
      const at = counter * KEY_WORDS;
      let place = hashOf(keys[at]!, keys[at + DAY]!, keys[at + TYPE]!, keys[at + MODEL]!) & mask;
      while (this.#places[place] !== NONE) place = (place + 1) & mask;
      this.#places[place] = counter;
    }
  }
}

/** Values of each counter, by its number. */
type Columns = ReturnType<typeof newColumns>;

function newColumns(counters: number) {
  return {
    clicks: new Float64Array(counters),
    conversionsMicros: new BigInt64Array(counters),
    revenueMicros: new BigInt64Array(counters),
    /** Offset of the last event that changed it. */
    version: new Float64Array(counters),
    /** Version in the store, whose values contain all up to it; -1 for a new counter. */
    loadedVersion: new Float64Array(counters),
    flags: new Uint8Array(counters),
  };
}

/** Texts, each kept once and named by a number. */
class NumberedTexts {
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];
  bytesUsed = 0;

  numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.#texts.push(text) - 1;
    this.#numbers.set(text, number);
    this.bytesUsed += TEXT_BYTES + 2 * text.length;
    return number;
  }

  textOf(number: number): string {
    return this.#texts[number]!;
  }

  clear(): void {
    this.#numbers.clear();
    this.#texts.length = this.bytesUsed = 0;
  }
}

/** The finalizer of MurmurHash3, by Austin Appleby, of what the words make up. */
function hashOf(campaignSource: number, day: number, type: number, model: number): number {
  // Fibonacci hashing: Knuth, The Art of Computer Programming, volume 3, 6.4.
  const words = campaignSource ^ Math.imul((type << 4) ^ model, 0x9e3779b1) ^ Math.imul(day, 0x2c1b3c6d);
  let mixed = Math.imul(words ^ (words >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
