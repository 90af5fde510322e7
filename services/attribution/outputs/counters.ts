import assert from 'node:assert/strict';
import { fromBinary } from '@bufbuild/protobuf';
import { DailyStatsSchema } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { type ClickCount, type CounterKey, dayOf, type Increment } from '../decision/effects.ts';
import type { Touch } from '../decision/state.ts';
import { InternedTouch, type TouchTexts } from '../memory/touch-memory.ts';
import { counterKey, counterName } from '../store/keys.ts';
import type { StateEntry, StateStore } from '../store/state-store.ts';
import { CounterTable } from './counter-table.ts';
import { encodeCounter } from './encode-outputs.ts';

/** A counter that changed, with its new cumulative value, as it is published. */
export interface ChangedCounter {
  name: string;
  bytes: Buffer;
}

/** Flags of a counter. */
const CHANGED = 1;
const DIRTY = 2;
/** Its values are those in the store and what was added since. */
const LOADED = 4;

const FIRST_CAMPAIGNS = 1024;
/** Most counters read from the store at once. */
const READ_COUNTERS = 1000;
/** About the bytes that the object takes which a counter's bytes are kept by. */
const BUFFER_BYTES = 150;

/**
 * The counters of one partition, ahead of its store. Those in use are kept in memory. Together they take about
 * `mostBytes`, and what one batch changes beyond it: `isFull` asks for a flush then, and `forgetIfFull` leaves them to
 * the store after it.
 */
export class Counters {
  readonly #partition: number;
  readonly #mostBytes: () => number;
  /** The texts whose numbers of campaign and source are used. */
  #texts: TouchTexts | undefined;
  readonly #table = new CounterTable();
  /** The values of each in bytes, once they are asked for and until they are stored. */
  readonly #bytes: (Buffer | undefined)[] = [];
  #bytesKept = 0;
  /** Numbers of the counters with these flags. */
  #changed: number[] = [];
  #dirty: number[] = [];
  /** By the number of a campaign and source, whose texts take more: the counter of its last click + 1, and the day. */
  #lastClicks = new Int32Array(FIRST_CAMPAIGNS * 2);
  /** Counters to be read from the store, and the clicks that wait for it: their counters and offsets. */
  readonly #unread: number[] = [];
  readonly #clicked: number[] = [];
  readonly #clickOffsets: number[] = [];
  /** Counters of the increments that are added. */
  readonly #incremented: number[] = [];

  /** @param mostBytes about how many bytes of counters to keep in memory, now */
  constructor(partition: number, mostBytes: () => number) {
    this.#partition = partition;
    this.#mostBytes = mostBytes;
  }

  /** About the memory that they take, in bytes. */
  get bytesUsed(): number {
    return this.#table.bytesUsed + this.#bytesKept;
  }

  /** True once a flush is due, as they take too much memory. */
  isFull(): boolean {
    return this.bytesUsed >= this.#mostBytes();
  }

  /**
   * Adds a click, by the number of its campaign and source in these texts; it counts from the next `add` on. Its offset
   * is greater than those of calls before. The texts may be others than before only when all counters are stored.
   */
  addClick(texts: TouchTexts, campaignSource: number, timestamp: number, offset: number): void {
    this.#use(texts);
    const counter = this.#clickCounterOf(campaignSource, dayOf(timestamp));
    if ((this.#table.columns.flags[counter]! & LOADED) !== 0) {
      this.#countClick(counter, offset);
      return;
    }
    this.#clicked.push(counter);
    this.#clickOffsets.push(offset);
  }

  /** Adds clicks and increments in any order, of which each is later in the log than those of calls before. */
  add(store: StateStore, texts: TouchTexts, clicks: readonly ClickCount[], increments: readonly Increment[]): void {
    for (const { touch, offset, clicks: more } of clicks) {
      if (more === 1) this.addClick(texts, campaignSourceOf(touch, texts), touch.timestamp, offset);
    }
    this.#use(texts);
    for (const { timestamp, conversionType, model, touch } of increments) {
      const campaignSource = touch === undefined ? texts.campaignSourceNamed('', '') : campaignSourceOf(touch, texts);
      this.#incremented.push(this.#counterOf(campaignSource, dayOf(timestamp), conversionType, model));
    }
    this.#read(store);
    for (let i = 0; i < this.#clicked.length; i++) this.#countClick(this.#clicked[i]!, this.#clickOffsets[i]!);
    const { columns } = this.#table;
    for (let i = 0; i < increments.length; i++) {
      const [counter, { offset, conversionsMicros, revenueMicros }] = [this.#incremented[i]!, increments[i]!];
      if (offset <= columns.loadedVersion[counter]!) continue;
      columns.conversionsMicros[counter]! += conversionsMicros;
      columns.revenueMicros[counter]! += revenueMicros;
      this.#note(counter, offset);
    }
    this.#clicked.length = this.#clickOffsets.length = this.#incremented.length = 0;
  }

  /** The counters that changed since the last call. */
  takeChanged(): ChangedCounter[] {
    const taken: ChangedCounter[] = [];
    for (const counter of this.#changed) {
      this.#table.columns.flags[counter]! &= ~CHANGED;
      taken.push({ name: counterName(this.#keyOf(counter)), bytes: this.#bytesOf(counter) });
    }
    this.#changed = [];
    return taken;
  }

  /** The counters that the store does not have as they are, which the caller now stores. */
  *takeDirty(): Generator<StateEntry> {
    for (const counter of this.#dirty) {
      this.#table.columns.flags[counter]! &= ~DIRTY;
      const value = this.#bytesOf(counter);
      this.#dropBytes(counter);
      yield { key: counterKey(counterName(this.#keyOf(counter))), value };
    }
    this.#dirty = [];
  }

  /**
   * Leaves the counters to the store if they take too much memory. Only when all are stored: and those that changed are
   * taken, but for a replay's, which are published already.
   */
  forgetIfFull(): void {
    if (this.isFull()) this.#forget();
  }

  #use(texts: TouchTexts): void {
    if (this.#texts === texts) return;
    this.#forget();
    this.#texts = texts;
  }

  #forget(): void {
    assert(this.#dirty.length === 0, 'R-6: counters to be forgotten are not stored');
    this.#table.clear(this.#mostBytes());
    this.#lastClicks = new Int32Array(FIRST_CAMPAIGNS * 2);
    this.#changed = [];
    this.#bytes.length = this.#bytesKept = 0;
  }

  /** As #counterOf, faster where the campaign and source had their last click on the same day. */
  #clickCounterOf(campaignSource: number, day: number): number {
    const at = 2 * campaignSource;
    if (at >= this.#lastClicks.length) this.#lastClicks = larger(this.#lastClicks, at);
    if (this.#lastClicks[at + 1] === day) {
      const counter = this.#lastClicks[at]! - 1;
      if (counter >= 0) return counter;
    }
    const counter = this.#counterOf(campaignSource, day, '', '');
    this.#lastClicks[at] = counter + 1;
    this.#lastClicks[at + 1] = day;
    return counter;
  }

  #counterOf(campaignSource: number, day: number, conversionType: string, model: string): number {
    const before = this.#table.count;
    const counter = this.#table.numberOf(campaignSource, day, conversionType, model);
    if (counter === before) {
      this.#table.columns.flags[counter] = 0;
      this.#bytes.push(undefined);
      this.#unread.push(counter);
    }
    return counter;
  }

  /** Reads the counters that are new here, many at a time. */
  #read(store: StateStore): void {
    const unread = this.#unread;
    for (let from = 0; from < unread.length; from += READ_COUNTERS) {
      const counters = unread.slice(from, from + READ_COUNTERS);
      const stored = store.getMany(counters.map((counter) => counterKey(counterName(this.#keyOf(counter)))));
      for (let i = 0; i < counters.length; i++) this.#fill(counters[i]!, stored[i]);
    }
    unread.length = 0;
  }

  #fill(counter: number, stored: Buffer | undefined): void {
    const { columns } = this.#table;
    columns.flags[counter] = LOADED;
    if (stored === undefined) {
      columns.clicks[counter] = columns.version[counter] = 0;
      columns.conversionsMicros[counter] = columns.revenueMicros[counter] = 0n;
      columns.loadedVersion[counter] = -1;
      return;
    }
    const { clicks, conversionsMicros, revenueMicros, version } = fromBinary(DailyStatsSchema, stored);
    columns.clicks[counter] = Number(clicks);
    columns.conversionsMicros[counter] = conversionsMicros;
    columns.revenueMicros[counter] = revenueMicros;
    columns.version[counter] = columns.loadedVersion[counter] = Number(version);
  }

  #countClick(counter: number, offset: number): void {
    const { columns } = this.#table;
    if (offset <= columns.loadedVersion[counter]!) return;
    columns.clicks[counter]!++;
    this.#note(counter, offset);
  }

  #note(counter: number, version: number): void {
    const { columns } = this.#table;
    if (version > columns.version[counter]!) columns.version[counter] = version;
    this.#dropBytes(counter);
    const flags = columns.flags[counter]!;
    if ((flags & CHANGED) === 0) this.#changed.push(counter);
    if ((flags & DIRTY) === 0) this.#dirty.push(counter);
    columns.flags[counter] = LOADED | CHANGED | DIRTY;
  }

  #keyOf(counter: number): CounterKey {
    const { campaignId, source } = this.#texts!.textsOf(this.#table.campaignSourceOf(counter));
    const { day, conversionType, model } = this.#table.seriesOf(counter);
    return { day, campaignId, source, conversionType, model };
  }

  #bytesOf(counter: number): Buffer {
    const known = this.#bytes[counter];
    if (known !== undefined) return known;
    const { columns } = this.#table;
    const bytes = encodeCounter(this.#partition, {
      ...this.#keyOf(counter),
      clicks: columns.clicks[counter]!,
      conversionsMicros: columns.conversionsMicros[counter]!,
      revenueMicros: columns.revenueMicros[counter]!,
      version: columns.version[counter]!,
    });
    this.#bytes[counter] = bytes;
    this.#bytesKept += BUFFER_BYTES + bytes.length;
    return bytes;
  }

  #dropBytes(counter: number): void {
    const bytes = this.#bytes[counter];
    if (bytes === undefined) return;
    this.#bytesKept -= BUFFER_BYTES + bytes.length;
    this.#bytes[counter] = undefined;
  }
}

function campaignSourceOf(touch: Touch, texts: TouchTexts): number {
  if (touch instanceof InternedTouch && touch.texts === texts) return touch.campaignSource;
  return texts.campaignSourceNamed(touch.campaignId, touch.source);
}

function larger(numbers: Int32Array<ArrayBuffer>, index: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(Math.max(2 * numbers.length, index + 2));
  grown.set(numbers);
  return grown;
}
