import { NumberedTexts } from '../memory/numbered-texts.ts';
import type { Delta } from './deltas.ts';

const FIRST_COUNTERS = 1024;
const NONE = -1;

/** The version of a counter that the store had not. */
export const NOT_STORED = -1;

/** What a counter counts, in words from its begin on: numbers of texts but for the period. */
const GROUP = 0;
const AD = 1;
const PERIOD = 2;
const TYPE = 3;
const SERIES = 4;
const FLAGS = 5;
/** Number of its sums + 1; 0 if it has none, as most of clicks. */
const SUMS = 6;
/** Its values, in places of eight bytes from its begin on. */
const CLICKS = 4;
const VERSION = 5;
const LOADED_VERSION = 6;
/** Length of a counter in eight bytes. */
const STRIDE = 7;
/** Conversions and revenue of each model, in places of its sums. */
const OF_MODEL = 2;

/** Models that sums have room for at first. */
const FIRST_MODELS = 1;
/** More models than any build has; each has a bit beside the FLAG_BITS. */
export const MOST_MODELS = 28;
const FLAG_BITS = 4;

/** Places of four bytes in the hash table for each counter: at most half is in use. */
const PLACES = 2;
/** About the bytes that a counter's rare values take. */
const RARE_BYTES = 250;

/** What a sum of micros is divided by, so that both parts fit into the contract's fields. */
export const HIGH = 10n ** 18n;

const WORD = 2 ** 32;
/** What keeps the higher word of a sum so small that the sum is less than HIGH, either way. */
const MOST_HIGH_WORD = Math.floor(1e18 / WORD) - 1;

/** What nearly all counters have none of, under one model. */
export interface RareValues {
  /** Of the counter's first model only. */
  invalidClicks: number;
  retractedMicros: bigint;
  adjustedMicros: bigint;
  refundsMicros: bigint;
  /** Revenue beyond `revenueMicros`, in units of HIGH. */
  revenueHigh: bigint;
  /** As `loadedVersionOf`, where it is another for this model than for others: of a counter that each had its own. */
  loadedVersion: number;
}

/**
 * Counters, each a number, by which all that it is and has but for sums lies in one piece of memory, that of `clicks`
 * next to that of `version`: a processor loads one or two lines of its cache for it. Objects of tens of thousands of
 * counters, with big integers of their own, were most of what V8 had to mark. Only counters that exist take memory,
 * however many days, types and campaigns there are.
 */
export class CounterTable {
  count = 0;
  /** By `rarePlace`. */
  readonly #rare = new Map<number, RareValues>();
  #room = FIRST_COUNTERS;
  #words: Int32Array<ArrayBuffer>;
  #numbers: Float64Array<ArrayBuffer>;
  /** Length of sums in eight bytes. */
  #sumsStride = OF_MODEL * FIRST_MODELS;
  #sumsCount = 0;
  #sums = new BigInt64Array(FIRST_COUNTERS * OF_MODEL * FIRST_MODELS);
  /** The same memory. */
  #sumWords = new Int32Array(this.#sums.buffer);
  /** Numbers of counters by the hash of what they count, by linear probing. */
  #places = new Int32Array(PLACES * FIRST_COUNTERS).fill(NONE);
  readonly #types = new NumberedTexts();

  constructor() {
    [this.#words, this.#numbers] = viewsOf(new ArrayBuffer(8 * STRIDE * this.#room));
  }

  /** About the memory that it takes, in bytes: what is allocated beyond was never touched, and so is none. */
  get bytesUsed(): number {
    const table = this.count * 8 * STRIDE + this.#places.byteLength + this.#sumsCount * 8 * this.#sumsStride;
    return table + this.#rare.size * RARE_BYTES + this.#types.bytesUsed;
  }

  /**
   * The number of a counter, which is taken in, without flags and values, if it is new.
   *
   * @param series number of the rollup, and of the model where each has counters of its own
   * @param group number of a campaign and source, empty where the rollup is not by them
   * @param ad number of an ad
   * @param period days or hours since 1970-01-01
   */
  numberOf(series: number, group: number, ad: number, period: number, conversionType: string): number {
    const type = this.#types.numberOf(conversionType);
    const mask = this.#places.length - 1;
    const words = this.#words;
    const stride = 2 * STRIDE;
    let place = hashOf(series, group, ad, period, type) & mask;
    for (; ; place = (place + 1) & mask) {
      const counter = this.#places[place]!;
      if (counter === NONE) break;
      const at = counter * stride;
      if (
        words[at + GROUP] === group &&
        words[at + AD] === ad &&
        words[at + PERIOD] === period &&
        words[at + TYPE] === type &&
        words[at + SERIES] === series
      )
        return counter;
    }
    const counter = this.count++;
    this.#places[place] = counter;
    const at = counter * stride;
    words.fill(0, at, at + stride);
    words[at + GROUP] = group;
    words[at + AD] = ad;
    words[at + PERIOD] = period;
    words[at + TYPE] = type;
    words[at + SERIES] = series;
    if (this.count === this.#room) this.#grow();
    return counter;
  }

  seriesOf(counter: number): number {
    return this.#words[2 * counter * STRIDE + SERIES]!;
  }

  groupOf(counter: number): number {
    return this.#words[2 * counter * STRIDE + GROUP]!;
  }

  adOf(counter: number): number {
    return this.#words[2 * counter * STRIDE + AD]!;
  }

  periodOf(counter: number): number {
    return this.#words[2 * counter * STRIDE + PERIOD]!;
  }

  typeOf(counter: number): string {
    return this.#types.textOf(this.#words[2 * counter * STRIDE + TYPE]!);
  }

  typeHashOf(counter: number): number {
    return this.#types.hashOf(this.#words[2 * counter * STRIDE + TYPE]!);
  }

  /** FLAG_BITS of its user's. */
  flagsOf(counter: number): number {
    return this.#words[2 * counter * STRIDE + FLAGS]! & ((1 << FLAG_BITS) - 1);
  }

  setFlags(counter: number, flags: number): void {
    const at = 2 * counter * STRIDE + FLAGS;
    this.#words[at] = (this.#words[at]! & (-1 << FLAG_BITS)) | flags;
  }

  /** Whether anything was ever counted under a model, be it that all of it was taken back. */
  isUnder(counter: number, model: number): boolean {
    return (this.#words[2 * counter * STRIDE + FLAGS]! & (1 << (FLAG_BITS + model))) !== 0;
  }

  clicksOf(counter: number): number {
    return this.#numbers[counter * STRIDE + CLICKS]!;
  }

  setClicks(counter: number, clicks: number): void {
    this.#numbers[counter * STRIDE + CLICKS] = clicks;
  }

  /** Offset of the last event that changed it. */
  versionOf(counter: number): number {
    return this.#numbers[counter * STRIDE + VERSION]!;
  }

  setVersion(counter: number, version: number): void {
    this.#numbers[counter * STRIDE + VERSION] = version;
  }

  /** Version in the store, whose values contain all up to it; NOT_STORED for a new counter. */
  loadedVersionOf(counter: number): number {
    return this.#numbers[counter * STRIDE + LOADED_VERSION]!;
  }

  setLoadedVersion(counter: number, version: number): void {
    this.#numbers[counter * STRIDE + LOADED_VERSION] = version;
  }

  /** Makes room for values of so many models, MOST_MODELS at most: once for each, as they are first met. */
  reserveModels(models: number): void {
    const [before, stride] = [this.#sums, this.#sumsStride];
    if (OF_MODEL * models <= stride) return;
    this.#sumsStride = OF_MODEL * models;
    this.#sums = new BigInt64Array((before.length / stride) * this.#sumsStride);
    for (let sums = 0; sums < this.#sumsCount; sums++) {
      this.#sums.set(before.subarray(sums * stride, (sums + 1) * stride), sums * this.#sumsStride);
    }
    this.#sumWords = new Int32Array(this.#sums.buffer);
  }

  conversionsOf(counter: number, model: number): bigint {
    const sums = this.#words[2 * counter * STRIDE + SUMS]!;
    return sums === 0 ? 0n : this.#sums[(sums - 1) * this.#sumsStride + OF_MODEL * model]!;
  }

  /** But for `revenueHigh`: less than HIGH, either way. */
  revenueOf(counter: number, model: number): bigint {
    const sums = this.#words[2 * counter * STRIDE + SUMS]!;
    return sums === 0 ? 0n : this.#sums[(sums - 1) * this.#sumsStride + OF_MODEL * model + 1]!;
  }

  /** As `conversionsOf`, without a big integer; -1 unless it is in [0, 2^53), as nearly all are. */
  conversionsNumberOf(counter: number, model: number): number {
    const sums = this.#words[2 * counter * STRIDE + SUMS]!;
    return sums === 0 ? 0 : numberAt(this.#sumWords, 2 * ((sums - 1) * this.#sumsStride + OF_MODEL * model));
  }

  /** As `revenueOf`, in the same way. */
  revenueNumberOf(counter: number, model: number): number {
    const sums = this.#words[2 * counter * STRIDE + SUMS]!;
    return sums === 0 ? 0 : numberAt(this.#sumWords, 2 * ((sums - 1) * this.#sumsStride + OF_MODEL * model + 1));
  }

  /** Sets what a counter has under a model that there is room for, which it is under from then on. */
  setSums(counter: number, model: number, conversionsMicros: bigint, revenueMicros: bigint): void {
    const at = this.#sumsUnder(counter, model);
    this.#sums[at] = conversionsMicros;
    this.#sums[at + 1] = revenueMicros;
  }

  /** The same of safe integers. */
  setNumbers(counter: number, model: number, conversionsMicros: number, revenueMicros: number): void {
    const at = 2 * this.#sumsUnder(counter, model);
    const words = this.#sumWords;
    words[at] = words[at + 1] = words[at + 2] = words[at + 3] = 0;
    addTo(words, at, conversionsMicros);
    addTo(words, at + 2, revenueMicros);
  }

  /** Where the sums of a counter under a model are, which it is under from then on. */
  #sumsUnder(counter: number, model: number): number {
    const head = 2 * counter * STRIDE;
    this.#words[head + FLAGS]! |= 1 << (FLAG_BITS + model);
    if (this.#words[head + SUMS] === 0) this.#words[head + SUMS] = this.#newSums() + 1;
    return (this.#words[head + SUMS]! - 1) * this.#sumsStride + OF_MODEL * model;
  }

  /** Adds to what a counter has under a model that there is room for, which it is under from then on. */
  add(counter: number, model: number, { conversions, revenue, retracted, adjusted, refunds }: Delta): void {
    if (typeof revenue !== 'number' || !this.#addNumbers(counter, model, conversions, revenue)) {
      const revenueMicros = this.revenueOf(counter, model) + BigInt(revenue);
      this.setSums(counter, model, this.conversionsOf(counter, model) + BigInt(conversions), revenueMicros % HIGH);
      const revenueHigh = revenueMicros / HIGH;
      if (revenueHigh !== 0n) this.rareOf(counter, model).revenueHigh += revenueHigh;
    }
    if (retracted !== 0 || Number(adjusted) !== 0 || Number(refunds) !== 0) {
      const rare = this.rareOf(counter, model);
      rare.retractedMicros += BigInt(retracted);
      rare.adjustedMicros += BigInt(adjusted);
      rare.refundsMicros += BigInt(refunds);
    }
  }

  /**
   * Adds to what a counter has under some models: `sums` has the conversions and the revenue under each, safe integers
   * not below 0, from `at` on. Nothing is counted under those that have neither.
   */
  addSums(counter: number, models: readonly number[], sums: Float64Array, at: number): void {
    for (let m = 0; m < models.length; m++) {
      // Without destructuring, whose iterators were a tenth of the garbage of a user with very many touches.
      const conversions = sums[at + OF_MODEL * m]!;
      const revenue = sums[at + OF_MODEL * m + 1]!;
      if (conversions === 0 && revenue === 0) continue;
      if (this.#addNumbers(counter, models[m]!, conversions, revenue)) continue;
      this.add(counter, models[m]!, { conversions, revenue, retracted: 0, adjusted: 0, refunds: 0 });
    }
  }

  /** Adds without big integers, unless `revenueHigh` may have to change. */
  #addNumbers(counter: number, model: number, conversionsMicros: number, revenueMicros: number): boolean {
    const at = 2 * this.#sumsUnder(counter, model);
    const words = this.#sumWords;
    const high = words[at + 3]! + Math.floor(revenueMicros / WORD);
    if (high >= MOST_HIGH_WORD || high <= -MOST_HIGH_WORD) return false;
    addTo(words, at, conversionsMicros);
    addTo(words, at + 2, revenueMicros);
    return true;
  }

  #newSums(): number {
    const [sums, at] = [this.#sums, this.#sumsCount * this.#sumsStride];
    if (at === sums.length) {
      this.#sums = new BigInt64Array(2 * at);
      this.#sums.set(sums);
      this.#sumWords = new Int32Array(this.#sums.buffer);
    }
    this.#sumWords.fill(0, 2 * at, 2 * (at + this.#sumsStride));
    return this.#sumsCount++;
  }

  /** The counter's rare values under a model; undefined if it has none. */
  rareIfAny(counter: number, model: number): RareValues | undefined {
    return this.#rare.size === 0 ? undefined : this.#rare.get(rarePlace(counter, model));
  }

  /** The counter's rare values under a model, to be changed. */
  rareOf(counter: number, model: number): RareValues {
    const known = this.rareIfAny(counter, model);
    if (known !== undefined) return known;
    const sums = { retractedMicros: 0n, adjustedMicros: 0n, refundsMicros: 0n, revenueHigh: 0n };
    const rare = { invalidClicks: 0, ...sums, loadedVersion: NOT_STORED };
    this.#rare.set(rarePlace(counter, model), rare);
    return rare;
  }

  /** Forgets all counters. Memory for about so many bytes of them stays: to be given back it need not be allocated. */
  clear(bytes: number): void {
    this.#types.clear();
    this.#rare.clear();
    this.count = this.#sumsCount = 0;
    if (this.#words.byteLength + this.#places.byteLength + this.#sums.byteLength > 2 * bytes) {
      this.#room = FIRST_COUNTERS;
      [this.#words, this.#numbers] = viewsOf(new ArrayBuffer(8 * STRIDE * this.#room));
      this.#places = new Int32Array(PLACES * FIRST_COUNTERS);
      this.#sums = new BigInt64Array(FIRST_COUNTERS * this.#sumsStride);
      this.#sumWords = new Int32Array(this.#sums.buffer);
    }
    this.#places.fill(NONE);
  }

  #grow(): void {
    this.#room = 2 * this.count;
    const words = this.#words;
    [this.#words, this.#numbers] = viewsOf(new ArrayBuffer(8 * STRIDE * this.#room));
    this.#words.set(words);
    this.#places = new Int32Array(PLACES * this.#room).fill(NONE);
    const mask = this.#places.length - 1;
    for (let counter = 0; counter < this.count; counter++) {
      let place = hashAt(this.#words, 2 * counter * STRIDE) & mask;
      while (this.#places[place] !== NONE) place = (place + 1) & mask;
      this.#places[place] = counter;
    }
  }
}

/** Adds an integer to one of 64 bits, which lies in two words, the lower one first. */
function addTo(words: Int32Array, at: number, value: number): void {
  const high = Math.floor(value / WORD);
  const low = (words[at]! >>> 0) + (value - high * WORD);
  words[at] = low | 0;
  words[at + 1] = (words[at + 1]! + high + (low >= WORD ? 1 : 0)) | 0;
}

/** What `addTo` adds to; -1 unless it is in [0, 2^53). */
function numberAt(words: Int32Array, at: number): number {
  const high = words[at + 1]!;
  return high < 0 || high >= 2 ** 21 ? -1 : high * WORD + (words[at]! >>> 0);
}

/** By which rare values are found. */
function rarePlace(counter: number, model: number): number {
  return counter * MOST_MODELS + model;
}

function viewsOf(memory: ArrayBuffer): [Int32Array<ArrayBuffer>, Float64Array<ArrayBuffer>] {
  return [new Int32Array(memory), new Float64Array(memory)];
}

function hashAt(words: Int32Array, at: number): number {
  return hashOf(words[at + SERIES]!, words[at + GROUP]!, words[at + AD]!, words[at + PERIOD]!, words[at + TYPE]!);
}

/** The finalizer of MurmurHash3, by Austin Appleby, of what the words make up. */
function hashOf(series: number, group: number, ad: number, period: number, type: number): number {
  // Fibonacci hashing: Knuth, The Art of Computer Programming, volume 3, 6.4.
  const others = Math.imul((type << 8) ^ series, 0x9e3779b1) ^ Math.imul(ad, 0x27d4eb2f);
  const words = group ^ others ^ Math.imul(period, 0x2c1b3c6d);
  let mixed = Math.imul(words ^ (words >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
