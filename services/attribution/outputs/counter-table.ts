const FIRST_COUNTERS = 1024;
const NONE = -1;

/** What a counter counts, in words: numbers of texts but for the period. */
const KEY_WORDS = 6;
const ROLLUP = 0;
const GROUP = 1;
const AD = 2;
const PERIOD = 3;
const TYPE = 4;
const MODEL = 5;

/** About the bytes that a counter takes: columns, of which up to half is free, and its places in the hash table. */
const COUNTER_BYTES = 144;
/** About the bytes that a text takes beside its own. */
const TEXT_BYTES = 100;
/** About the bytes that a counter's rare values take. */
const RARE_BYTES = 250;

/** What a sum of micros is divided by, so that both parts fit into the contract's fields. */
export const HIGH = 10n ** 18n;

/** What nearly all counters have none of. */
export interface RareValues {
  invalidClicks: number;
  retractedMicros: bigint;
  adjustedMicros: bigint;
  refundsMicros: bigint;
  /** Revenue beyond the column, in units of HIGH. */
  revenueHigh: bigint;
}

/**
 * Counters, each a number, by which its values lie in columns: objects of tens of thousands of counters, with big
 * integers of their own, were most of what V8 had to mark. Only counters that exist take memory, however many days,
 * types, models and campaigns there are.
 */
export class CounterTable {
  count = 0;
  columns = newColumns(FIRST_COUNTERS);
  /** By counter. */
  readonly rare = new Map<number, RareValues>();
  #keys = new Int32Array(FIRST_COUNTERS * KEY_WORDS);
  /** Numbers of counters by the hash of their keys, by linear probing. At most half is in use. */
  #places = new Int32Array(2 * FIRST_COUNTERS).fill(NONE);
  readonly #types = new NumberedTexts();
  readonly #models = new NumberedTexts();

  /** About the memory that it takes, in bytes. */
  get bytesUsed(): number {
    return this.count * COUNTER_BYTES + this.rare.size * RARE_BYTES + this.#types.bytesUsed;
  }

  /**
   * The number of a counter, which is taken in, with no values, if it is new.
   *
   * @param rollup number of the rollup
   * @param group number of a campaign and source, empty where the rollup is not by them
   * @param ad number of an ad
   * @param period days or hours since 1970-01-01
   */
  numberOf(rollup: number, group: number, ad: number, period: number, conversionType: string, model: string): number {
    const [type, ofModel] = [this.#types.numberOf(conversionType), this.#models.numberOf(model)];
    const mask = this.#places.length - 1;
    let place = hashOf(rollup, group, ad, period, type, ofModel) & mask;
    const keys = this.#keys;
    for (; ; place = (place + 1) & mask) {
      const counter = this.#places[place]!;
      if (counter === NONE) break;
      const at = counter * KEY_WORDS;
      if (
        keys[at + GROUP] === group &&
        keys[at + AD] === ad &&
        keys[at + PERIOD] === period &&
        keys[at + TYPE] === type &&
        keys[at + MODEL] === ofModel &&
        keys[at + ROLLUP] === rollup
      )
        return counter;
    }
    const counter = this.count++;
    this.#places[place] = counter;
    const at = counter * KEY_WORDS;
    keys[at + ROLLUP] = rollup;
    keys[at + GROUP] = group;
    keys[at + AD] = ad;
    keys[at + PERIOD] = period;
    keys[at + TYPE] = type;
    keys[at + MODEL] = ofModel;
    if (this.count === this.columns.flags.length) this.#grow();
    return counter;
  }

  rollupOf(counter: number): number {
    return this.#keys[counter * KEY_WORDS + ROLLUP]!;
  }

  groupOf(counter: number): number {
    return this.#keys[counter * KEY_WORDS + GROUP]!;
  }

  adOf(counter: number): number {
    return this.#keys[counter * KEY_WORDS + AD]!;
  }

  periodOf(counter: number): number {
    return this.#keys[counter * KEY_WORDS + PERIOD]!;
  }

  typeOf(counter: number): string {
    return this.#types.textOf(this.#keys[counter * KEY_WORDS + TYPE]!);
  }

  modelOf(counter: number): string {
    return this.#models.textOf(this.#keys[counter * KEY_WORDS + MODEL]!);
  }

  /** The counter's rare values, to be changed. */
  rareOf(counter: number): RareValues {
    const known = this.rare.get(counter);
    if (known !== undefined) return known;
    const rare = { invalidClicks: 0, retractedMicros: 0n, adjustedMicros: 0n, refundsMicros: 0n, revenueHigh: 0n };
    this.rare.set(counter, rare);
    return rare;
  }

  /** Forgets all counters. Memory for about so many bytes of them stays: to be given back it need not be allocated. */
  clear(bytes: number): void {
    this.#types.clear();
    this.rare.clear();
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
      let place = hashAt(keys, at) & mask;
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
    /** Less than HIGH, either way. */
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

function hashAt(keys: Int32Array, at: number): number {
  const [rollup, group, ad] = [keys[at + ROLLUP]!, keys[at + GROUP]!, keys[at + AD]!];
  return hashOf(rollup, group, ad, keys[at + PERIOD]!, keys[at + TYPE]!, keys[at + MODEL]!);
}

/** The finalizer of MurmurHash3, by Austin Appleby, of what the words make up. */
function hashOf(rollup: number, group: number, ad: number, period: number, type: number, model: number): number {
  // Fibonacci hashing: Knuth, The Art of Computer Programming, volume 3, 6.4.
  const series = Math.imul((type << 8) ^ (rollup << 4) ^ model, 0x9e3779b1) ^ Math.imul(ad, 0x27d4eb2f);
  const words = group ^ series ^ Math.imul(period, 0x2c1b3c6d);
  let mixed = Math.imul(words ^ (words >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
