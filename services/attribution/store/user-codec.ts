import { readUuidText, UUID_WORDS } from '../../contract/uuid.ts';
import type { Role } from '../decision/kinds.ts';
import {
  CORRECTIONS,
  type Correction,
  type Credit,
  NOTHING_CLOSED,
  type RememberedConversion,
  type Touch,
  type UserState,
  type Windows,
} from '../decision/state.ts';
import { idOf } from '../decision/touch-id.ts';
import {
  adAt,
  campaignSourceAt,
  InternedTouch,
  idAt,
  type TouchMemory,
  type TouchTexts,
} from '../memory/touch-memory.ts';
import { conversionBytes, endOfTouch, readCorrection, StoredConversion, StoredTouch } from './stored-entries.ts';
import {
  ADJUSTED_BYTES,
  APART,
  ARRIVAL,
  CLOSED,
  CONVERSION,
  CORRECTED_CONVERSION,
  CORRECTION,
  CORRECTION_BYTES,
  CORRECTION_ID,
  CREDIT_HEAD,
  CREDITS,
  FORMAT,
  FORMAT_BEFORE,
  HEAD_BYTES,
  ID,
  INVALID_TOUCH,
  LAST_CLOSED,
  LAST_CLOSED_BYTES,
  LOOKBACK,
  MAX_TOUCHES,
  MODEL_LETTERS,
  MODELS_SEPARATOR,
  OVERFLOW,
  TIMESTAMP,
  TOUCH,
  TOUCH_TEXTS,
  TYPE,
  TYPE_BYTES,
  UNCOUNTED_CONVERSION,
  VALUE,
  WINDOWED_CONVERSION,
  WINDOWED_TYPE,
} from './user-format.ts';

/** Bytes that are put together and copied from here. */
export class StateWriter {
  bytes: Buffer = Buffer.allocUnsafeSlow(64 * 1024);
  length = 0;
  #view = viewOf(this.bytes);
  #models: readonly string[] = [];
  #letters = '';

  /** Begins a state anew, with its head. */
  begin({ hasOverflow, lastClosed }: Pick<UserState, 'hasOverflow' | 'lastClosed'>): void {
    const hasClosed = lastClosed !== NOTHING_CLOSED;
    this.bytes[0] = FORMAT;
    this.bytes[1] = (hasOverflow ? OVERFLOW : 0) | (hasClosed ? CLOSED : 0);
    if (hasClosed) this.#view.setFloat64(LAST_CLOSED, lastClosed, true);
    this.length = hasClosed ? HEAD_BYTES + LAST_CLOSED_BYTES : HEAD_BYTES;
  }

  touch(touch: Touch, isInvalid = false): void {
    if (touch instanceof InternedTouch) {
      this.touchAt(touch.memory, touch.at, touch.texts, isInvalid);
      return;
    }
    const start = this.length;
    // No UTF-16 unit takes more than three bytes of UTF-8.
    const { adId, campaignId, source, metadata } = touch;
    this.reserve(TOUCH_TEXTS + 2 + 3 * (adId.length + metadata.length + campaignId.length + source.length));
    const kind = isInvalid ? INVALID_TOUCH : TOUCH;
    this.#head(start, kind, idOf(touch), 0, touch.timestamp, touch.arrival);
    let at = start + TOUCH_TEXTS;
    at += this.bytes.write(adId, at);
    if (metadata !== '') {
      this.bytes[at++] = 0;
      at += this.bytes.write(metadata, at);
    }
    this.#view.setUint16(start + 1, at - start - TOUCH_TEXTS, true);
    const campaignSource = at;
    at += this.bytes.write(campaignId, at);
    this.bytes[at++] = 0;
    at += this.bytes.write(source, at);
    this.#view.setUint16(start + 3, at - campaignSource, true);
    this.length = at;
  }

  /** Writes a touch that lies in memory, without strings. */
  touchAt(memory: TouchMemory, at: number, texts: TouchTexts, isInvalid = false): void {
    const { ads, campaignSources } = texts;
    const [ad, campaignSource] = [adAt(memory, at), campaignSourceAt(memory, at)];
    const start = this.length;
    const [adStart, adEnd] = [ads.startOf(ad), ads.endOf(ad)];
    const [pairStart, pairEnd] = [campaignSources.startOf(campaignSource), campaignSources.endOf(campaignSource)];
    this.reserve(TOUCH_TEXTS + adEnd - adStart + pairEnd - pairStart);
    const kind = isInvalid ? INVALID_TOUCH : TOUCH;
    this.#head(start, kind, memory.words, idAt(at), memory.times[at >> 1]!, memory.times[(at >> 1) + 1]!);
    this.#view.setUint16(start + 1, adEnd - adStart, true);
    this.#view.setUint16(start + 3, pairEnd - pairStart, true);
    this.length = start + TOUCH_TEXTS;
    this.copy(ads.bytes, adStart, adEnd);
    this.copy(campaignSources.bytes, pairStart, pairEnd);
  }

  conversion(conversion: RememberedConversion): void {
    if (conversion instanceof StoredConversion && conversion.isAsStored) {
      conversion.writeTo(this);
      return;
    }
    if (conversion.windows !== undefined) {
      this.#windowed(conversion, conversion.windows);
      return;
    }
    const start = this.length;
    const { conversionId, timestamp, arrival, type, credits, valueMicros } = conversion;
    const models = credits.length === 0 ? conversion.models.join(MODELS_SEPARATOR) : '';
    const kind = kindOf(conversion);
    this.reserve(TYPE + 3 * (type.length + models.length));
    readUuidText(conversionId, id, 0);
    this.#head(start, kind, id, 0, timestamp, arrival);
    this.#view.setBigUint64(start + VALUE, valueMicros, true);
    const typeBytes = this.bytes.write(type, start + TYPE);
    this.#view.setUint16(start + TYPE_BYTES, typeBytes, true);
    this.#view.setUint16(start + CREDITS, credits.length, true);
    this.length = start + TYPE + typeBytes;
    this.length += this.bytes.write(models, this.length);
    for (const credit of credits) this.#credit(credit, kind === CORRECTED_CONVERSION);
    this.#view.setUint32(start + 1, this.length - start, true);
  }

  #windowed(
    { conversionId, timestamp, arrival, type, valueMicros, models }: RememberedConversion,
    { lookbackMs, apartMs, maxTouches }: Windows,
  ): void {
    const start = this.length;
    const names = this.#lettersOf(models);
    this.reserve(WINDOWED_TYPE + 3 * (type.length + names.length));
    readUuidText(conversionId, id, 0);
    this.#head(start, WINDOWED_CONVERSION, id, 0, timestamp, arrival);
    this.#view.setBigUint64(start + VALUE, valueMicros, true);
    this.#view.setUint16(start + MAX_TOUCHES, maxTouches, true);
    this.#view.setFloat64(start + LOOKBACK, lookbackMs, true);
    this.#view.setFloat64(start + APART, apartMs, true);
    const typeBytes = this.bytes.write(type, start + WINDOWED_TYPE);
    this.#view.setUint16(start + TYPE_BYTES, typeBytes, true);
    this.length = start + WINDOWED_TYPE + typeBytes;
    this.length += this.bytes.write(names, this.length);
    this.#view.setUint32(start + 1, this.length - start, true);
  }

  /** Models as they are stored: those of one conversion are mostly those of the one before. */
  #lettersOf(models: readonly string[]): string {
    if (models !== this.#models) {
      this.#models = models;
      this.#letters = models.map((name) => MODEL_LETTERS[name] ?? name).join(MODELS_SEPARATOR);
    }
    return this.#letters;
  }

  correction({ targetId, eventId, kind, valueMicros, timestamp, arrival }: Correction): void {
    const start = this.length;
    this.reserve(CORRECTION_BYTES);
    readUuidText(targetId, id, 0);
    this.#head(start, CORRECTION, id, 0, timestamp, arrival);
    this.#view.setUint32(start + 1, CORRECTIONS.indexOf(kind), true);
    this.#view.setBigUint64(start + VALUE, valueMicros, true);
    readUuidText(eventId, id, 0);
    for (let i = 0; i < UUID_WORDS; i++) this.#view.setInt32(start + CORRECTION_ID + 4 * i, id[i]!, true);
    this.length = start + CORRECTION_BYTES;
  }

  /** A few bytes: a loop takes less than a call into the runtime. */
  copy(from: Uint8Array, start: number, end: number): void {
    const to = this.length - start;
    for (let i = start; i < end; i++) this.bytes[to + i] = from[i]!;
    this.length += end - start;
  }

  reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.length + more));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
    this.#view = viewOf(larger);
  }

  /** Writes what all entries begin with alike, but for their lengths; the id lies at `at` in `words`. */
  #head(start: number, kind: number, words: Int32Array, at: number, timestamp: number, arrival: number): void {
    this.bytes[start] = kind;
    for (let i = 0; i < UUID_WORDS; i++) this.#view.setInt32(start + ID + 4 * i, words[at + i]!, true);
    this.#view.setFloat64(start + TIMESTAMP, timestamp, true);
    this.#view.setFloat64(start + ARRIVAL, arrival, true);
  }

  #credit(
    { model, touch, creditMicros, valueMicros, adjustedMicros, refundsMicros }: Credit,
    isAdjusted: boolean,
  ): void {
    const start = this.length;
    this.reserve(CREDIT_HEAD + 3 * model.length + ADJUSTED_BYTES);
    this.#view.setUint32(start, creditMicros, true);
    this.#view.setBigUint64(start + 4, valueMicros, true);
    const modelBytes = this.bytes.write(model, start + CREDIT_HEAD);
    this.#view.setUint16(start + 12, modelBytes, true);
    this.length = start + CREDIT_HEAD + modelBytes;
    if (isAdjusted) {
      this.#view.setBigInt64(this.length, adjustedMicros, true);
      this.#view.setBigUint64(this.length + 8, refundsMicros, true);
      this.length += ADJUSTED_BYTES;
    }
    this.touch(touch);
  }
}

/** The kind of a conversion's entry. */
function kindOf({ credits, isCounted }: RememberedConversion): number {
  if (!isCounted) return UNCOUNTED_CONVERSION;
  for (const { adjustedMicros, refundsMicros } of credits) {
    if (adjustedMicros !== 0n || refundsMicros !== 0n) return CORRECTED_CONVERSION;
  }
  return CONVERSION;
}

export interface EntryReader {
  touch(at: number): void;
  conversion(at: number, end: number): void;
  /** A correction, or a touch that is invalid. */
  correction(at: number, end: number): void;
}

/** Goes through a user's state. Throws an Error if it is of another format, or has entries of another kind. */
export function readEntries(bytes: Buffer, reader: EntryReader): void {
  if (bytes[0] !== FORMAT && bytes[0] !== FORMAT_BEFORE) {
    throw new Error(`user state has format ${bytes[0]}, this build reads ${FORMAT_BEFORE} and ${FORMAT}`);
  }
  for (let at = headBytes(bytes); at < bytes.length; ) {
    const start = at;
    switch (bytes[at]) {
      case TOUCH:
        at = endOfTouch(bytes, at);
        reader.touch(start);
        break;
      case UNCOUNTED_CONVERSION:
      case CONVERSION:
      case CORRECTED_CONVERSION:
      case WINDOWED_CONVERSION:
        at += conversionBytes(bytes, at);
        reader.conversion(start, at);
        break;
      case INVALID_TOUCH:
        at = endOfTouch(bytes, at);
        reader.correction(start, at);
        break;
      case CORRECTION:
        at += CORRECTION_BYTES;
        reader.correction(start, at);
        break;
      default:
        throw new Error(`user state has an entry of kind ${bytes[at]}, which this build does not know`);
    }
  }
}

/** The conversions in these bytes, which must not change while they are in use. */
export function readConversions(bytes: Buffer, start: number, end: number): StoredConversion[] {
  const conversions: StoredConversion[] = [];
  for (let at = start; at < end; at += conversionBytes(bytes, at)) conversions.push(new StoredConversion(bytes, at));
  return conversions;
}

/** Whether it is of the format that this build writes, so that entries can be added to it. */
export function isCurrent(bytes: Buffer): boolean {
  return bytes[0] === FORMAT;
}

/** The corrections and invalid touches in these bytes, which must not change while they are in use. */
export function readCorrections(bytes: Buffer): Pick<UserState, 'corrections' | 'invalidTouches'> {
  const [corrections, invalidTouches]: [Correction[], Touch[]] = [[], []];
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] === CORRECTION) {
      corrections.push(readCorrection(bytes, at));
      at += CORRECTION_BYTES;
    } else {
      invalidTouches.push(new StoredTouch(bytes, at));
      at = endOfTouch(bytes, at);
    }
  }
  return { corrections, invalidTouches };
}

/** Arrivals of the latest touch, outcome and correction, in ms; 0 where there is none. */
export function lastArrivals(bytes: Buffer): Record<Role | 'correction', number> {
  const last = { touch: 0, outcome: 0, correction: 0 };
  readEntries(bytes, {
    touch(at) {
      last.touch = Math.max(last.touch, bytes.readDoubleLE(at + ARRIVAL));
    },
    conversion(at) {
      last.outcome = Math.max(last.outcome, bytes.readDoubleLE(at + ARRIVAL));
    },
    correction(at) {
      const of = bytes[at] === CORRECTION ? 'correction' : 'touch';
      last[of] = Math.max(last[of], bytes.readDoubleLE(at + ARRIVAL));
    },
  });
  return last;
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}

const id = new Int32Array(UUID_WORDS);

function headBytes(bytes: Buffer): number {
  return (bytes[1]! & CLOSED) === 0 ? HEAD_BYTES : HEAD_BYTES + LAST_CLOSED_BYTES;
}

/** When the last conversion arrived that lies beside this state as closed, in ms; NOTHING_CLOSED if none does. */
export function lastClosedIn(bytes: Buffer): number {
  return (bytes[1]! & CLOSED) === 0 ? NOTHING_CLOSED : bytes.readDoubleLE(LAST_CLOSED);
}

/** Whether there was no room for some of the user's events in this state. */
export function hasOverflow(bytes: Buffer): boolean {
  return (bytes[1]! & OVERFLOW) !== 0;
}
