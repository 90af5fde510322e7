import { UUID_WORDS, uuidText } from '../../contract/uuid.ts';
import {
  CORRECTIONS,
  type Correction,
  type Credit,
  type RememberedConversion,
  type Windows,
} from '../decision/state.ts';
import type { TouchWithWords } from '../decision/touch-id.ts';
import {
  ADJUSTED_BYTES,
  APART,
  ARRIVAL,
  CORRECTED_CONVERSION,
  CORRECTION_ID,
  CREDIT_HEAD,
  CREDITS,
  ID,
  LOOKBACK,
  MAX_TOUCHES,
  MODEL_LETTERS,
  MODELS_SEPARATOR,
  TIMESTAMP,
  TOUCH_TEXTS,
  TYPE,
  TYPE_BYTES,
  UNCOUNTED_CONVERSION,
  VALUE,
  WINDOWED_CONVERSION,
  WINDOWED_TYPE,
} from './user-format.ts';

/** Where bytes are copied to. */
interface Sink {
  reserve(more: number): void;
  copy(from: Uint8Array, start: number, end: number): void;
}

/** A touch where it is stored, of which nothing is read before it is asked for. */
export class StoredTouch implements TouchWithWords {
  readonly #bytes: Buffer;
  readonly #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  idWord(i: number): number {
    return this.#bytes.readInt32LE(this.#at + ID + 4 * i);
  }

  get clickId(): string {
    return readId(this.#bytes, this.#at);
  }

  get timestamp(): number {
    return this.#bytes.readDoubleLE(this.#at + TIMESTAMP);
  }

  get arrival(): number {
    return this.#bytes.readDoubleLE(this.#at + ARRIVAL);
  }

  get adId(): string {
    return this.#bytes.toString('utf8', this.ad, this.#adIdEnd);
  }

  get metadata(): string {
    return this.#bytes.toString('utf8', Math.min(this.#adIdEnd + 1, this.campaignSource), this.campaignSource);
  }

  get campaignId(): string {
    return this.#bytes.toString('utf8', this.campaignSource, this.#campaignEnd);
  }

  get source(): string {
    return this.#bytes.toString('utf8', this.#campaignEnd + 1, this.end);
  }

  /** Where the bytes of its texts are: those of the ad and its metadata, those of its campaign and source. */
  get ad(): number {
    return this.#at + TOUCH_TEXTS;
  }

  get campaignSource(): number {
    return this.ad + this.#bytes.readUInt16LE(this.#at + 1);
  }

  get end(): number {
    return endOfTouch(this.#bytes, this.#at);
  }

  get #adIdEnd(): number {
    const end = this.campaignSource;
    // A few bytes: a loop takes less than a call into the runtime.
    let at = this.ad;
    while (at < end && this.#bytes[at] !== 0) at++;
    return at;
  }

  get #campaignEnd(): number {
    return this.#bytes.indexOf(0, this.campaignSource);
  }
}

/**
 * A conversion where it is stored. Little is read before it is asked for, and only once, since a fold asks the
 * conversions of its user for the same again and again. What can be changed has a setter, which ends `isAsStored`.
 */
export class StoredConversion implements RememberedConversion {
  readonly timestamp: number;
  readonly arrival: number;
  readonly #bytes: Buffer;
  readonly #at: number;
  #conversionId: string | undefined;
  #type: string | undefined;
  #credits: readonly Credit[] | undefined;
  #models: readonly string[] | undefined;
  #windows: Windows | undefined;
  #isCounted: boolean;
  #isAsStored = true;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
    this.timestamp = bytes.readDoubleLE(at + TIMESTAMP);
    this.arrival = bytes.readDoubleLE(at + ARRIVAL);
    this.#isCounted = bytes[at] !== UNCOUNTED_CONVERSION || bytes.readUInt16LE(at + CREDITS) > 0;
    if (this.#isWindowed) this.#windows = windowsAt(bytes, at);
  }

  get #isWindowed(): boolean {
    return this.#bytes[this.#at] === WINDOWED_CONVERSION;
  }

  get conversionId(): string {
    this.#conversionId ??= readId(this.#bytes, this.#at);
    return this.#conversionId;
  }

  get type(): string {
    this.#type ??= this.#bytes.toString('utf8', this.#typeStart, this.#typeEnd);
    return this.#type;
  }

  get valueMicros(): bigint {
    return this.#bytes.readBigUInt64LE(this.#at + VALUE);
  }

  get credits(): readonly Credit[] {
    this.#credits ??= this.#readCredits();
    return this.#credits;
  }

  set credits(credits: readonly Credit[]) {
    this.#credits = credits;
    this.#isAsStored = false;
  }

  get models(): readonly string[] {
    this.#models ??= this.#readModels();
    return this.#models;
  }

  set models(models: readonly string[]) {
    this.#models = models;
    this.#isAsStored = false;
  }

  get windows(): Windows | undefined {
    return this.#windows;
  }

  set windows(windows: Windows | undefined) {
    this.#windows = windows;
    this.#isAsStored = false;
  }

  get isCounted(): boolean {
    return this.#isCounted;
  }

  set isCounted(isCounted: boolean) {
    this.#isCounted = isCounted;
    this.#isAsStored = false;
  }

  /** Whether its bytes still are all of it: nothing was changed. */
  get isAsStored(): boolean {
    return this.#isAsStored;
  }

  /** Writes its bytes as they are. */
  writeTo(writer: Sink): void {
    const length = conversionBytes(this.#bytes, this.#at);
    writer.reserve(length);
    writer.copy(this.#bytes, this.#at, this.#at + length);
  }

  get #typeStart(): number {
    return this.#at + (this.#isWindowed ? WINDOWED_TYPE : TYPE);
  }

  get #typeEnd(): number {
    return this.#typeStart + this.#bytes.readUInt16LE(this.#at + TYPE_BYTES);
  }

  #readModels(): string[] {
    if (this.#isWindowed) return this.#readNames().map((name) => NAMES[name] ?? name);
    const credits = this.#isAsStored ? this.credits : this.#readCredits();
    if (credits.length > 0) return [...new Set(credits.map(({ model }) => model))];
    return this.#readNames();
  }

  #readNames(): string[] {
    const names = this.#bytes.toString('utf8', this.#typeEnd, this.#at + conversionBytes(this.#bytes, this.#at));
    return names === '' ? [] : names.split(MODELS_SEPARATOR);
  }

  #readCredits(): Credit[] {
    if (this.#isWindowed) return [];
    let at = this.#typeEnd;
    const isAdjusted = this.#bytes[this.#at] === CORRECTED_CONVERSION;
    return Array.from({ length: this.#bytes.readUInt16LE(this.#at + CREDITS) }, () => {
      const modelEnd = at + CREDIT_HEAD + this.#bytes.readUInt16LE(at + 12);
      const touch = isAdjusted ? modelEnd + ADJUSTED_BYTES : modelEnd;
      const credit = {
        model: this.#bytes.toString('utf8', at + CREDIT_HEAD, modelEnd),
        touch: new StoredTouch(this.#bytes, touch),
        creditMicros: this.#bytes.readUInt32LE(at),
        valueMicros: this.#bytes.readBigUInt64LE(at + 4),
        adjustedMicros: isAdjusted ? this.#bytes.readBigInt64LE(modelEnd) : 0n,
        refundsMicros: isAdjusted ? this.#bytes.readBigUInt64LE(modelEnd + 8) : 0n,
      };
      at = endOfTouch(this.#bytes, touch);
      return credit;
    });
  }
}

const NAMES = Object.fromEntries(Object.entries(MODEL_LETTERS).map(([name, letter]) => [letter, name]));

/** The windows read last: most are alike. */
let lastWindows: Windows = { lookbackMs: 0, apartMs: 0, maxTouches: 0 };

function windowsAt(bytes: Buffer, at: number): Windows {
  const [lookbackMs, apartMs] = [bytes.readDoubleLE(at + LOOKBACK), bytes.readDoubleLE(at + APART)];
  const maxTouches = bytes.readUInt16LE(at + MAX_TOUCHES);
  const last = lastWindows;
  if (last.lookbackMs !== lookbackMs || last.apartMs !== apartMs || last.maxTouches !== maxTouches) {
    lastWindows = { lookbackMs, apartMs, maxTouches };
  }
  return lastWindows;
}

/** When the touch or conversion that begins here happened, and when it arrived, in ms. */
export function timesAt(bytes: Buffer, at: number) {
  return { timestamp: bytes.readDoubleLE(at + TIMESTAMP), arrival: bytes.readDoubleLE(at + ARRIVAL) };
}

/** The order of two touches, or of two conversions, by time and then by id. */
export function compareEntries(a: Buffer, at: number, b: Buffer, other: number): number {
  let order = a.readDoubleLE(at + TIMESTAMP) - b.readDoubleLE(other + TIMESTAMP);
  for (let i = 0; order === 0 && i < UUID_WORDS; i++) {
    order = (a.readInt32LE(at + ID + 4 * i) >>> 0) - (b.readInt32LE(other + ID + 4 * i) >>> 0);
  }
  return order;
}

export function readCorrection(bytes: Buffer, at: number): Correction {
  const targetId = readId(bytes, at);
  readIdWords(bytes, at + CORRECTION_ID - ID, id, 0);
  return {
    targetId,
    eventId: uuidText(id, 0),
    kind: CORRECTIONS[bytes.readUInt32LE(at + 1)]!,
    valueMicros: bytes.readBigUInt64LE(at + VALUE),
    ...timesAt(bytes, at),
  };
}

/** Bytes of the conversion that begins here. */
export function conversionBytes(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at + 1);
}

/** The words of the id of the entry that begins here. */
export function readIdWords(bytes: Buffer, at: number, words: Int32Array, index: number): void {
  for (let i = 0; i < UUID_WORDS; i++) words[index + i] = bytes.readInt32LE(at + ID + 4 * i);
}

const id = new Int32Array(UUID_WORDS);

function readId(bytes: Buffer, at: number): string {
  readIdWords(bytes, at, id, 0);
  return uuidText(id, 0);
}

/** Where the touch ends that begins here. */
export function endOfTouch(bytes: Buffer, at: number): number {
  return at + TOUCH_TEXTS + bytes.readUInt16LE(at + 1) + bytes.readUInt16LE(at + 3);
}
