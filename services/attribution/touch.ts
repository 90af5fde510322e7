import type { Touch } from './state.ts';
import { Texts } from './texts.ts';
import { readUuidText, UUID_WORDS, uuidText } from './uuid.ts';

/**
 * How a touch lies in memory, in 40 bytes that begin at a multiple of eight:
 * timestamp f64 | arrival f64 | id, four i32 | number of its ad i32 | number of its placement i32.
 */
export const TOUCH_WORDS = 10;
const ID = 4;
const AD = 8;
const PLACEMENT = 9;

/** Memory that touches lie in, seen in several ways. */
export interface TouchMemory {
  /** A touch begins at an even index. */
  words: Int32Array;
  times: Float64Array;
  bytes: Uint8Array;
}

export function touchMemory(words: number): TouchMemory {
  const memory = new ArrayBuffer(4 * words);
  return { words: new Int32Array(memory), times: new Float64Array(memory), bytes: new Uint8Array(memory) };
}

/** The texts of touches, and the numbers that stand for them: of an ad, and of a placement, a campaign with a source. */
export class TouchTexts {
  readonly ads = new Texts();
  /** The campaign, NUL, which is in no id, and the source. */
  readonly placements = new Texts();
  #pair = Buffer.alloc(64);

  get bytesUsed(): number {
    return this.ads.bytesUsed + this.placements.bytesUsed;
  }

  /** The number of a placement whose campaign and source lie in these bytes. */
  placementOf(bytes: Uint8Array, campaignId: number, campaignIdEnd: number, source: number, sourceEnd: number): number {
    const length = campaignIdEnd - campaignId + 1 + sourceEnd - source;
    if (length > this.#pair.length) this.#pair = Buffer.alloc(2 * length);
    let at = 0;
    for (let i = campaignId; i < campaignIdEnd; i++) this.#pair[at++] = bytes[i]!;
    this.#pair[at++] = 0;
    for (let i = source; i < sourceEnd; i++) this.#pair[at++] = bytes[i]!;
    return this.placements.numberOf(this.#pair, 0, length);
  }

  textsOf(placement: number): { campaignId: string; source: string } {
    const [campaignId, source] = this.placements.textOf(placement).split('\0') as [string, string];
    return { campaignId, source };
  }

  /** Where the campaign of a placement ends in `placements.bytes`; the source begins after the NUL there. */
  campaignEndOf(placement: number): number {
    let end = this.placements.startOf(placement);
    while (this.placements.bytes[end] !== 0) end++;
    return end;
  }
}

/** A touch as it lies in memory, by itself: the memory may be used for another then. */
export class InternedTouch implements Touch {
  readonly texts: TouchTexts;
  readonly timestamp: number;
  readonly arrival: number;
  readonly id0: number;
  readonly id1: number;
  readonly id2: number;
  readonly id3: number;
  readonly ad: number;
  readonly placement: number;

  constructor(texts: TouchTexts, { words, times }: TouchMemory, at: number) {
    this.texts = texts;
    this.timestamp = times[at >> 1]!;
    this.arrival = times[(at >> 1) + 1]!;
    this.id0 = words[at + ID]!;
    this.id1 = words[at + ID + 1]!;
    this.id2 = words[at + ID + 2]!;
    this.id3 = words[at + ID + 3]!;
    this.ad = words[at + AD]!;
    this.placement = words[at + PLACEMENT]!;
  }

  get clickId(): string {
    return uuidText(idOf(this), 0);
  }

  get adId(): string {
    return this.texts.ads.textOf(this.ad);
  }

  get campaignId(): string {
    return this.texts.textsOf(this.placement).campaignId;
  }

  get source(): string {
    return this.texts.textsOf(this.placement).source;
  }
}

const id = new Int32Array(UUID_WORDS);

/** The words of a touch's id, until the next call. */
export function idOf(touch: Touch): Int32Array {
  if (!(touch instanceof InternedTouch)) {
    readUuidText(touch.clickId, id, 0);
    return id;
  }
  id[0] = touch.id0;
  id[1] = touch.id1;
  id[2] = touch.id2;
  id[3] = touch.id3;
  return id;
}

/** Whether two touches are the same click, by their ids. */
export function isSameClick(a: Touch, b: Touch): boolean {
  if (!(a instanceof InternedTouch && b instanceof InternedTouch)) return a.clickId === b.clickId;
  return a.id3 === b.id3 && a.id0 === b.id0 && a.id1 === b.id1 && a.id2 === b.id2;
}

/** Whether the touches that lie at these places have the same id. */
export function hasSameId(a: Int32Array, at: number, b: Int32Array, other: number): boolean {
  return (
    a[at + ID + 3] === b[other + ID + 3] &&
    a[at + ID] === b[other + ID] &&
    a[at + ID + 1] === b[other + ID + 1] &&
    a[at + ID + 2] === b[other + ID + 2]
  );
}

/** In [0, 256): of random ids, random ones. */
export function filterBitOf(words: Int32Array, at: number): number {
  const mixed = words[at + ID]! ^ words[at + ID + 3]!;
  return (mixed ^ (mixed >>> 8) ^ (mixed >>> 16) ^ (mixed >>> 24)) & 0xff;
}

export function placementAt({ words }: TouchMemory, at: number): number {
  return words[at + PLACEMENT]!;
}

export function copyTouch(from: TouchMemory, start: number, to: TouchMemory, at: number): void {
  for (let i = 0; i < TOUCH_WORDS; i++) to.words[at + i] = from.words[start + i]!;
}

/** What of a touch is not its id. */
interface TouchFields {
  timestamp: number;
  arrival: number;
  /** The numbers of its texts. */
  ad: number;
  placement: number;
}

export function fieldsAt({ words, times }: TouchMemory, at: number): TouchFields {
  const [timestamp, arrival] = [times[at >> 1]!, times[(at >> 1) + 1]!];
  return { timestamp, arrival, ad: words[at + AD]!, placement: words[at + PLACEMENT]! };
}

/** Writes all of a touch but its id, which lies, or will lie, from `idAt(at)` on. */
export function putFields({ words, times }: TouchMemory, at: number, fields: TouchFields): void {
  times[at >> 1] = fields.timestamp;
  times[(at >> 1) + 1] = fields.arrival;
  words[at + AD] = fields.ad;
  words[at + PLACEMENT] = fields.placement;
}

/** Where the words of a touch's id are. */
export function idAt(at: number): number {
  return at + ID;
}

const NUL = Buffer.of(0);

/** Writes any touch. */
export function putTouch(memory: TouchMemory, at: number, touch: Touch, texts: TouchTexts): void {
  memory.words.set(idOf(touch), idAt(at));
  const { timestamp, arrival } = touch;
  if (touch instanceof InternedTouch && touch.texts === texts) {
    putFields(memory, at, touch);
    return;
  }
  const ad = Buffer.from(touch.adId);
  const pair = Buffer.concat([Buffer.from(touch.campaignId), NUL, Buffer.from(touch.source)]);
  const placement = texts.placements.numberOf(pair, 0, pair.length);
  putFields(memory, at, { timestamp, arrival, ad: texts.ads.numberOf(ad, 0, ad.length), placement });
}

/** The same touch with its texts as numbers. */
export function internTouch(touch: Touch, texts: TouchTexts): InternedTouch {
  const memory = touchMemory(TOUCH_WORDS);
  putTouch(memory, 0, touch, texts);
  return new InternedTouch(texts, memory, 0);
}
