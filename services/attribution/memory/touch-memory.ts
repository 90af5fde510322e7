import { uuidText } from '../../contract/uuid.ts';
import type { Touch } from '../decision/state.ts';
import { idOf, type TouchWithWords } from '../decision/touch-id.ts';
import { putAt, Texts } from './string-table.ts';

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

interface Placement {
  campaignId: string;
  source: string;
}

/** The texts of touches, and the numbers that stand for them: of an ad, and of a placement, a campaign with a source. */
export class TouchTexts {
  readonly ads = new Texts();
  /** The campaign, NUL, which is in no id, and the source. */
  readonly placements = new Texts();
  /** Those that somebody asked for. */
  readonly #placements: (Placement | undefined)[] = [];
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

  placementNamed(campaignId: string, source: string): number {
    const pair = Buffer.from(`${campaignId}\0${source}`);
    return this.placements.numberOf(pair, 0, pair.length);
  }

  textsOf(placement: number): Placement {
    const known = this.#placements[placement];
    if (known !== undefined) return known;
    const [campaignId, source] = this.placements.textOf(placement).split('\0') as [string, string];
    const texts = { campaignId, source };
    putAt(this.#placements, placement, texts);
    return texts;
  }

  /** Where the campaign of a placement ends in `placements.bytes`; the source begins after the NUL there. */
  campaignEndOf(placement: number): number {
    let end = this.placements.startOf(placement);
    while (this.placements.bytes[end] !== 0) end++;
    return end;
  }
}

/** A touch where it lies in memory, which must not be used for another meanwhile. */
export class InternedTouch implements TouchWithWords {
  readonly texts: TouchTexts;
  readonly memory: TouchMemory;
  readonly at: number;

  constructor(texts: TouchTexts, memory: TouchMemory, at: number) {
    this.texts = texts;
    this.memory = memory;
    this.at = at;
  }

  get timestamp(): number {
    return this.memory.times[this.at >> 1]!;
  }

  get arrival(): number {
    return this.memory.times[(this.at >> 1) + 1]!;
  }

  /** The number of its ad. */
  get ad(): number {
    return this.memory.words[this.at + AD]!;
  }

  get placement(): number {
    return this.memory.words[this.at + PLACEMENT]!;
  }

  idWord(i: number): number {
    return this.memory.words[this.at + ID + i]!;
  }

  get clickId(): string {
    return uuidText(this.memory.words, this.at + ID);
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

/** So many touches, of some users with very many, are not kept: they take 10 MB. */
const MOST_KEPT = 100_000;

/**
 * Touches copied for a while, one after the other. What is used again is not only the memory but the objects, too: those
 * of a batch live just long enough for V8 to move them to where garbage is collected least, and last.
 */
export class TouchSpace {
  readonly #texts: TouchTexts;
  #memory = touchMemory(0);
  #touches: InternedTouch[] = [];
  #count = 0;

  constructor(texts: TouchTexts) {
    this.#texts = texts;
  }

  /** Makes room for some touches more. Those that lie in the memory stay good. */
  reserve(touches: number): void {
    const needed = (this.#count + touches) * TOUCH_WORDS;
    if (needed <= this.#memory.words.length) return;
    this.#memory = touchMemory(2 * needed);
    this.#touches = [];
    this.#count = 0;
  }

  /** Copies a touch to where there is room. */
  copy(from: TouchMemory, start: number): InternedTouch {
    const i = this.#count++;
    if (i === this.#touches.length) this.#touches.push(new InternedTouch(this.#texts, this.#memory, i * TOUCH_WORDS));
    const touch = this.#touches[i]!;
    copyTouch(from, start, this.#memory, touch.at);
    return touch;
  }

  /** Those in it are used no more. */
  clear(): void {
    this.#count = 0;
    if (this.#touches.length <= MOST_KEPT) return;
    this.#memory = touchMemory(0);
    this.#touches = [];
  }
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

export function adAt({ words }: TouchMemory, at: number): number {
  return words[at + AD]!;
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

/** Writes any touch. */
export function putTouch(memory: TouchMemory, at: number, touch: Touch, texts: TouchTexts): void {
  memory.words.set(idOf(touch), idAt(at));
  const { timestamp, arrival } = touch;
  if (touch instanceof InternedTouch && touch.texts === texts) {
    putFields(memory, at, touch);
    return;
  }
  const ad = Buffer.from(touch.adId);
  const placement = texts.placementNamed(touch.campaignId, touch.source);
  putFields(memory, at, { timestamp, arrival, ad: texts.ads.numberOf(ad, 0, ad.length), placement });
}
