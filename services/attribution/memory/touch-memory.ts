import { uuidText } from '../../contract/uuid.ts';
import { digestOfBytes, digestOfTexts, type TouchWithDigest } from '../decision/digest.ts';
import type { Touch } from '../decision/state.ts';
import { idOf, type TouchWithWords } from '../decision/touch-id.ts';
import { CountedMetadata } from './counted-metadata.ts';
import { KeptItems, StringTable } from './string-table.ts';

/**
 * How a touch lies in memory, in 40 bytes that begin at a multiple of eight:
 * timestamp f64 | arrival f64 | id, four i32 | number of its ad i32 | number of its campaign and source i32.
 */
export const TOUCH_WORDS = 10;
const ID = 4;
const AD = 8;
const CAMPAIGN_SOURCE = 9;

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

/** The ad of what no click is credited for. */
const NO_AD = { adId: '', metadata: '' };

type CampaignSource = Pick<Touch, 'campaignId' | 'source'>;

/** Most pairs of campaign and source of which texts are kept as strings. */
const MOST_PAIRS = 10_000;

/**
 * The texts of touches, and the numbers that stand for them: of an ad, with the metadata that rollups are by, and of a
 * campaign with its source.
 */
export class TouchTexts {
  /** The ad; behind it, if there is any, NUL and the metadata as `Touch` has it. */
  readonly ads = new StringTable();
  /** The campaign, NUL, which is in no id, and the source. */
  readonly campaignSources = new StringTable();
  /** Texts of pairs that were asked for before. */
  readonly #campaignSources = new KeptItems<CampaignSource>(MOST_PAIRS);
  #pair = Buffer.alloc(64);
  readonly metadata: CountedMetadata;

  /** @param metadataKeys keys of metadata that rollups are by, ascending */
  constructor(metadataKeys: readonly string[] = []) {
    this.metadata = new CountedMetadata(metadataKeys);
  }

  get bytesUsed(): number {
    return this.ads.bytesUsed + this.campaignSources.bytesUsed;
  }

  /** The number of the pair whose campaign and source lie in these bytes. */
  campaignSourceOf(
    bytes: Uint8Array,
    campaignId: number,
    campaignIdEnd: number,
    source: number,
    sourceEnd: number,
  ): number {
    const length = campaignIdEnd - campaignId + 1 + sourceEnd - source;
    if (length > this.#pair.length) this.#pair = Buffer.alloc(2 * length);
    let at = 0;
    for (let i = campaignId; i < campaignIdEnd; i++) this.#pair[at++] = bytes[i]!;
    this.#pair[at++] = 0;
    for (let i = source; i < sourceEnd; i++) this.#pair[at++] = bytes[i]!;
    return this.campaignSources.numberOf(this.#pair, 0, length);
  }

  campaignSourceNamed(campaignId: string, source: string): number {
    const pair = Buffer.from(`${campaignId}\0${source}`);
    return this.campaignSources.numberOf(pair, 0, pair.length);
  }

  /** The number of the ad that lies in these bytes, with what counts of the metadata that lies there as in an event. */
  adOf(bytes: Buffer, adId: number, adIdEnd: number, metadata: number, metadataEnd: number): number {
    if (this.metadata.isNone || metadata === metadataEnd) return this.ads.numberOf(bytes, adId, adIdEnd);
    const length = this.metadata.putAd(bytes, adId, adIdEnd, metadata, metadataEnd);
    return this.ads.numberOf(this.metadata.bytes, 0, length);
  }

  adNamed({ adId, metadata }: Pick<Touch, 'adId' | 'metadata'>): number {
    const ad = Buffer.from(metadata === '' ? adId : `${adId}\0${metadata}`);
    return this.ads.numberOf(ad, 0, ad.length);
  }

  adIdOf(ad: number): string {
    const text = this.ads.textOf(ad);
    return this.ads.hasNul ? text.split('\0', 1)[0]! : text;
  }

  metadataOf(ad: number): string {
    const text = this.ads.textOf(ad);
    const adIdEnd = this.ads.hasNul ? text.indexOf('\0') : -1;
    return adIdEnd === -1 ? '' : text.slice(adIdEnd + 1);
  }

  /** Where the id of an ad ends in `ads.bytes`. */
  adIdEndOf(ad: number): number {
    const end = this.ads.endOf(ad);
    if (!this.ads.hasNul) return end;
    let at = this.ads.startOf(ad);
    while (at < end && this.ads.bytes[at] !== 0) at++;
    return at;
  }

  textsOf(campaignSource: number): CampaignSource {
    const known = this.#campaignSources.get(campaignSource);
    if (known !== undefined) return known;
    const [campaignId, source] = this.campaignSources.readText(campaignSource).split('\0') as [string, string];
    return this.#campaignSources.put(campaignSource, { campaignId, source });
  }

  /** The digest of a touch that has these texts; undefined if they are not all ASCII. */
  digestOf(timestamp: number, ad: number, campaignSource: number): number | undefined {
    const { ads, campaignSources } = this;
    const [start, end] = [ads.startOf(ad), this.adIdEndOf(ad)];
    const [pair, pairEnd] = [campaignSources.startOf(campaignSource), campaignSources.endOf(campaignSource)];
    return digestOfBytes(timestamp, ads.bytes, start, end, campaignSources.bytes, pair, pairEnd);
  }

  /** Where the campaign of a pair ends in `campaignSources.bytes`; the source begins after the NUL there. */
  campaignEndOf(campaignSource: number): number {
    let end = this.campaignSources.startOf(campaignSource);
    while (this.campaignSources.bytes[end] !== 0) end++;
    return end;
  }
}

/** A touch where it lies in memory, which must not be used for another meanwhile. */
export class InternedTouch implements TouchWithWords, TouchWithDigest {
  readonly texts: TouchTexts;
  readonly memory: TouchMemory;
  readonly at: number;
  /** Where it lies as it was published, in how many bytes, and in which batch; see `encode-outputs.ts`. */
  written = 0;
  writtenBytes = 0;
  writtenIn = 0;

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

  /** The number of its ad, with its metadata. */
  get ad(): number {
    return this.memory.words[this.at + AD]!;
  }

  /** The number of its campaign and source. */
  get campaignSource(): number {
    return this.memory.words[this.at + CAMPAIGN_SOURCE]!;
  }

  idWord(i: number): number {
    return this.memory.words[this.at + ID + i]!;
  }

  get clickId(): string {
    return uuidText(this.memory.words, this.at + ID);
  }

  get adId(): string {
    return this.texts.adIdOf(this.ad);
  }

  get metadata(): string {
    return this.texts.metadataOf(this.ad);
  }

  get campaignId(): string {
    return this.texts.textsOf(this.campaignSource).campaignId;
  }

  get digest(): number {
    return this.texts.digestOf(this.timestamp, this.ad, this.campaignSource) ?? digestOfTexts(this);
  }

  get source(): string {
    return this.texts.textsOf(this.campaignSource).source;
  }
}

/** The number of a touch's campaign and source in these texts; of no touch, that of the empty ones. */
export function campaignSourceOf(touch: Touch | undefined, texts: TouchTexts): number {
  if (touch instanceof InternedTouch && touch.texts === texts) return touch.campaignSource;
  return texts.campaignSourceNamed(touch?.campaignId ?? '', touch?.source ?? '');
}

/** The number of its ad. */
export function adOf(touch: Touch | undefined, texts: TouchTexts): number {
  return touch instanceof InternedTouch && touch.texts === texts ? touch.ad : texts.adNamed(touch ?? NO_AD);
}

/** Most touches kept from one batch to the next, in 10 MB: some users have very many. */
const MOST_KEPT = 100_000;

/**
 * Touches copied for a while, one after the other. What is used again is not only the memory but the objects, too:
 * those of a batch live just long enough to be promoted to V8's old generation, which is collected rarely.
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

  /** Makes all of the room free again; touches copied before are used no more. */
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

export function campaignSourceAt({ words }: TouchMemory, at: number): number {
  return words[at + CAMPAIGN_SOURCE]!;
}

export function copyTouch(from: TouchMemory, start: number, to: TouchMemory, at: number): void {
  for (let i = 0; i < TOUCH_WORDS; i++) to.words[at + i] = from.words[start + i]!;
}

export function adAt({ words }: TouchMemory, at: number): number {
  return words[at + AD]!;
}

/** Fields of a touch but its id. */
type TouchFields = Pick<InternedTouch, 'timestamp' | 'arrival' | 'ad' | 'campaignSource'>;

/** Writes all of a touch but its id, which lies, or will lie, from `idAt(at)` on. */
export function putFields({ words, times }: TouchMemory, at: number, fields: TouchFields): void {
  times[at >> 1] = fields.timestamp;
  times[(at >> 1) + 1] = fields.arrival;
  words[at + AD] = fields.ad;
  words[at + CAMPAIGN_SOURCE] = fields.campaignSource;
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
  const campaignSource = texts.campaignSourceNamed(touch.campaignId, touch.source);
  putFields(memory, at, { timestamp, arrival, ad: texts.adNamed(touch), campaignSource });
}
