import { readUuidText, UUID_WORDS, uuidText } from '../../contract/uuid.ts';
import type { Role } from '../decision/kinds.ts';
import type { Credit, RememberedConversion, Touch } from '../decision/state.ts';
import { idOf, type TouchWithWords } from '../decision/touch-id.ts';
import { adAt, campaignSourceAt, idAt, type TouchMemory, type TouchTexts } from '../memory/touch-memory.ts';

/**
 * How a user's state lies in the store: a head of two bytes, then touches and conversions one after the other. Touches
 * ascend as in the state, conversions are in order of arrival; so what came last is added at the end, by RocksDB, to
 * bytes that nobody read. Numbers are little-endian, texts UTF-8.
 *
 *     head:       format u8 | 0 u8, which once said whether ids were spilled
 *     touch:      1 u8 | bytes of ad u16 | bytes of campaign and source u16 | id 4 × i32 | timestamp f64 |
 *                 arrival f64 | ad | campaign and source (campaign, NUL, source)
 *     conversion: 2 u8 | bytes of the whole u32 | id 4 × i32 | timestamp f64 | arrival f64 | value u64 |
 *                 bytes of type u16 | number of credits u16 | type | credits
 *     credit:     credit u32 | value u64 | bytes of model u16 | model | touch
 */
const FORMAT = 4;
const HEAD_BYTES = 2;
const TOUCH = 1;
const CONVERSION = 2;
/** Places in touches and conversions alike. */
const ID = 5;
const TIMESTAMP = 21;
const ARRIVAL = 29;
const TOUCH_TEXTS = 37;
const VALUE = 37;
const TYPE_BYTES = 45;
const CREDITS = 47;
const TYPE = 49;
const CREDIT_HEAD = 14;

/** Bytes that are put together and copied from here. */
export class StateWriter {
  bytes: Buffer = Buffer.allocUnsafeSlow(64 * 1024);
  length = 0;
  #view = viewOf(this.bytes);

  /** Begins a state anew, with its head. */
  begin(): void {
    this.bytes[0] = FORMAT;
    this.bytes[1] = 0;
    this.length = HEAD_BYTES;
  }

  touch(touch: Touch): void {
    const start = this.length;
    // No UTF-16 unit takes more than three bytes of UTF-8.
    this.reserve(TOUCH_TEXTS + 1 + 3 * (touch.adId.length + touch.campaignId.length + touch.source.length));
    this.#head(start, TOUCH, idOf(touch), 0, touch.timestamp, touch.arrival);
    let at = start + TOUCH_TEXTS;
    at += this.bytes.write(touch.adId, at);
    this.#view.setUint16(start + 1, at - start - TOUCH_TEXTS, true);
    const campaignSource = at;
    at += this.bytes.write(touch.campaignId, at);
    this.bytes[at++] = 0;
    at += this.bytes.write(touch.source, at);
    this.#view.setUint16(start + 3, at - campaignSource, true);
    this.length = at;
  }

  /** Writes a touch that lies in memory, without strings. */
  touchAt(memory: TouchMemory, at: number, texts: TouchTexts): void {
    const { ads, campaignSources } = texts;
    const [ad, campaignSource] = [adAt(memory, at), campaignSourceAt(memory, at)];
    const start = this.length;
    const [adStart, adEnd] = [ads.startOf(ad), ads.endOf(ad)];
    const [pairStart, pairEnd] = [campaignSources.startOf(campaignSource), campaignSources.endOf(campaignSource)];
    this.reserve(TOUCH_TEXTS + adEnd - adStart + pairEnd - pairStart);
    this.#head(start, TOUCH, memory.words, idAt(at), memory.times[at >> 1]!, memory.times[(at >> 1) + 1]!);
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
    const start = this.length;
    const { conversionId, timestamp, arrival, type, credits, valueMicros } = conversion;
    this.reserve(TYPE + 3 * type.length);
    readUuidText(conversionId, id, 0);
    this.#head(start, CONVERSION, id, 0, timestamp, arrival);
    this.#view.setBigUint64(start + VALUE, valueMicros, true);
    const typeBytes = this.bytes.write(type, start + TYPE);
    this.#view.setUint16(start + TYPE_BYTES, typeBytes, true);
    this.#view.setUint16(start + CREDITS, credits.length, true);
    this.length = start + TYPE + typeBytes;
    for (const credit of credits) this.#credit(credit);
    this.#view.setUint32(start + 1, this.length - start, true);
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

  /** Writes what touches and conversions begin with alike, but for their lengths; the id lies at `at` in `words`. */
  #head(start: number, kind: number, words: Int32Array, at: number, timestamp: number, arrival: number): void {
    this.bytes[start] = kind;
    for (let i = 0; i < UUID_WORDS; i++) this.#view.setInt32(start + ID + 4 * i, words[at + i]!, true);
    this.#view.setFloat64(start + TIMESTAMP, timestamp, true);
    this.#view.setFloat64(start + ARRIVAL, arrival, true);
  }

  #credit({ model, touch, creditMicros, valueMicros }: Credit): void {
    const start = this.length;
    this.reserve(CREDIT_HEAD + 3 * model.length);
    this.#view.setUint32(start, creditMicros, true);
    this.#view.setBigUint64(start + 4, valueMicros, true);
    const modelBytes = this.bytes.write(model, start + CREDIT_HEAD);
    this.#view.setUint16(start + 12, modelBytes, true);
    this.length = start + CREDIT_HEAD + modelBytes;
    this.touch(touch);
  }
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
    return this.#bytes.toString('utf8', this.#at + TOUCH_TEXTS, this.campaignSource);
  }

  get campaignId(): string {
    return this.#bytes.toString('utf8', this.campaignSource, this.#campaignEnd);
  }

  get source(): string {
    return this.#bytes.toString('utf8', this.#campaignEnd + 1, this.end);
  }

  /** Where the bytes of its texts are: those of the ad, those of its campaign and source. */
  get ad(): number {
    return this.#at + TOUCH_TEXTS;
  }

  get campaignSource(): number {
    return this.ad + this.#bytes.readUInt16LE(this.#at + 1);
  }

  get end(): number {
    return endOfTouch(this.#bytes, this.#at);
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
  #isAsStored = true;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
    this.timestamp = bytes.readDoubleLE(at + TIMESTAMP);
    this.arrival = bytes.readDoubleLE(at + ARRIVAL);
  }

  get conversionId(): string {
    this.#conversionId ??= readId(this.#bytes, this.#at);
    return this.#conversionId;
  }

  get type(): string {
    this.#type ??= this.#bytes.toString('utf8', this.#at + TYPE, this.#typeEnd);
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

  /** Whether its bytes still are all of it: nothing was changed. */
  get isAsStored(): boolean {
    return this.#isAsStored;
  }

  /** Writes its bytes as they are. */
  writeTo(writer: StateWriter): void {
    const length = conversionBytes(this.#bytes, this.#at);
    writer.reserve(length);
    writer.copy(this.#bytes, this.#at, this.#at + length);
  }

  get #typeEnd(): number {
    return this.#at + TYPE + this.#bytes.readUInt16LE(this.#at + TYPE_BYTES);
  }

  #readCredits(): Credit[] {
    let at = this.#typeEnd;
    return Array.from({ length: this.#bytes.readUInt16LE(this.#at + CREDITS) }, () => {
      const modelEnd = at + CREDIT_HEAD + this.#bytes.readUInt16LE(at + 12);
      const credit = {
        model: this.#bytes.toString('utf8', at + CREDIT_HEAD, modelEnd),
        touch: new StoredTouch(this.#bytes, modelEnd),
        creditMicros: this.#bytes.readUInt32LE(at),
        valueMicros: this.#bytes.readBigUInt64LE(at + 4),
        adjustedMicros: 0n,
        refundsMicros: 0n,
      };
      at = endOfTouch(this.#bytes, modelEnd);
      return credit;
    });
  }
}

/** When the touch or conversion that begins here happened, and when it arrived, in ms. */
export function timesAt(bytes: Buffer, at: number) {
  return { timestamp: bytes.readDoubleLE(at + TIMESTAMP), arrival: bytes.readDoubleLE(at + ARRIVAL) };
}

export interface EntryReader {
  touch(at: number): void;
  conversion(at: number, end: number): void;
}

/** Goes through a user's state. Throws an Error if it is of another format, or has entries of another kind. */
export function readEntries(bytes: Buffer, reader: EntryReader): void {
  if (bytes[0] !== FORMAT) throw new Error(`user state has format ${bytes[0]}, this build reads ${FORMAT}`);
  for (let at = HEAD_BYTES; at < bytes.length; ) {
    const start = at;
    switch (bytes[at]) {
      case TOUCH:
        at = endOfTouch(bytes, at);
        reader.touch(start);
        break;
      case CONVERSION:
        at += conversionBytes(bytes, at);
        reader.conversion(start, at);
        break;
      default:
        throw new Error(`user state has an entry of kind ${bytes[at]}, which this build does not know`);
    }
  }
}

function conversionBytes(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at + 1);
}

/** The conversions in these bytes, which must not change while they are in use. */
export function readConversions(bytes: Buffer, start: number, end: number): StoredConversion[] {
  const conversions: StoredConversion[] = [];
  for (let at = start; at < end; at += conversionBytes(bytes, at)) conversions.push(new StoredConversion(bytes, at));
  return conversions;
}

/** Arrivals of the latest event of each role, in ms; 0 where there is none. */
export function lastArrivals(bytes: Buffer): Record<Role, number> {
  const last = { touch: 0, outcome: 0 };
  readEntries(bytes, {
    touch(at) {
      last.touch = Math.max(last.touch, bytes.readDoubleLE(at + ARRIVAL));
    },
    conversion(at) {
      last.outcome = Math.max(last.outcome, bytes.readDoubleLE(at + ARRIVAL));
    },
  });
  return last;
}

/** The words of the id of a touch that begins here. */
export function readIdWords(bytes: Buffer, at: number, words: Int32Array, index: number): void {
  for (let i = 0; i < UUID_WORDS; i++) words[index + i] = bytes.readInt32LE(at + ID + 4 * i);
}

const id = new Int32Array(UUID_WORDS);

function readId(bytes: Buffer, at: number): string {
  readIdWords(bytes, at, id, 0);
  return uuidText(id, 0);
}

function endOfTouch(bytes: Buffer, at: number): number {
  return at + TOUCH_TEXTS + bytes.readUInt16LE(at + 1) + bytes.readUInt16LE(at + 3);
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}
