import { HOUR_MS } from '../../contract/limits.ts';
import { UUID_LENGTH, writeUuidText } from '../../contract/uuid.ts';
import { putBigint, putBytes, putDouble, putNumber, putText } from '../../contract/wire.ts';
import { newSpareMemory } from '../../system/spare-memory.ts';
import type { AttributedRow, CounterKey, Decision } from '../decision/effects.ts';
import { explain, mostCandidates } from '../decision/explain.ts';
import type { Touch } from '../decision/state.ts';
import { idOf } from '../decision/touch-id.ts';
import { InternedTouch } from '../memory/touch-memory.ts';

/**
 * Encoders of what attribution publishes most, which generic code took a fifth of its time for. The bytes are those
 * that toBinary gives, but for the length of a candidate, which always takes two.
 */

/** Most bytes of a candidate: its id, three texts, two integers, the names of a model and a reason, and their heads. */
const MAX_CANDIDATE_BYTES = 1024;
/** Most bytes of a message but for its texts and candidates. */
const MAX_FIXED_BYTES = 256;

/** Bytes of a page: it holds some hundred decisions. */
const PAGE_BYTES = 1 << 20;
/** Most bytes of pages kept. */
const SPARE_BYTES = 16 << 20;
const sparePages = newSpareMemory(SPARE_BYTES);

/** Memory that the outputs of a batch lie in, one after the other, until they are published. */
export class OutputMemory {
  page: Buffer = Buffer.alloc(0);
  /** Bytes of the page that are taken. */
  used = 0;
  /** Where many candidates were written last, by model, reason and user. */
  readonly written = new Map<string, Written>();
  readonly #pages: Buffer[] = [];

  /** Makes room for some bytes more, one after the other. */
  reserve(bytes: number): void {
    if (this.used + bytes <= this.page.length) return;
    const spare = bytes <= PAGE_BYTES ? sparePages.take() : undefined;
    this.page = spare ?? Buffer.allocUnsafeSlow(Math.max(bytes, PAGE_BYTES));
    this.used = 0;
    if (this.page.length === PAGE_BYTES) this.#pages.push(this.page);
  }

  /** Takes what of the page was written up to here. */
  take(end: number): Buffer {
    const taken = this.page.subarray(this.used, end);
    this.used = end;
    return taken;
  }

  /** Gives the memory back, for outputs of other batches: those in it are used no more. */
  release(): void {
    for (const page of this.#pages) sparePages.give(page);
    this.#pages.length = 0;
    this.written.clear();
    this.page = Buffer.alloc(0);
    this.used = 0;
  }
}

/** Where a message is put together. */
let scratch: Buffer;

/** Candidates from which on they are copied from the decision before, of users with many clicks and conversions. */
const MANY_CANDIDATES = 64;

/**
 * A ConversionDecision: it names every click of a day, whose texts are copied from where they are stored.
 *
 * @param memory of the decisions whose touches lie in memory at the same time
 */
export function encodeDecision(decision: Decision, memory: OutputMemory): Buffer {
  const { userId, conversion, credits, lookbackMs, offset } = decision;
  let at = begin(memory, mostCandidates(decision) * MAX_CANDIDATE_BYTES, userId, conversion.type);
  at = putText(scratch, at, 0x0a, conversion.conversionId);
  at = putText(scratch, at, 0x12, userId);
  at = putText(scratch, at, 0x1a, conversion.type);
  at = putNumber(scratch, at, 0x20, conversion.timestamp);
  at = putBigint(scratch, at, 0x28, conversion.valueMicros);
  at = putNumber(scratch, at, 0x30, lookbackMs);
  at = putNumber(scratch, at, 0x38, credits.length > 0 ? 1 : 0);
  at = putCandidates(at, decision, memory);
  return memory.take(putNumber(scratch, at, 0x48, offset));
}

/** An AttributedConversion. */
export function encodeAttributed(row: AttributedRow, memory: OutputMemory): Buffer {
  const { userId, conversion, offset, credit, lookbackMs, retracted } = row;
  const { touch, model, creditMicros, valueMicros } = credit;
  let at = begin(memory, MAX_CANDIDATE_BYTES, userId, conversion.type, model);
  at = putText(scratch, at, 0x0a, conversion.conversionId);
  at = putText(scratch, at, 0x12, touch.clickId);
  at = putText(scratch, at, 0x1a, userId);
  at = putTexts(at, 0x22, touch);
  at = putText(scratch, at, 0x3a, conversion.type);
  at = putDouble(scratch, at, 0x41, Number(valueMicros) / 1e6);
  at = putNumber(scratch, at, 0x48, touch.timestamp);
  at = putNumber(scratch, at, 0x50, conversion.timestamp);
  at = putNumber(scratch, at, 0x58, Math.ceil(lookbackMs / HOUR_MS));
  at = putNumber(scratch, at, 0x60, offset);
  at = putNumber(scratch, at, 0x68, retracted ? 1 : 0);
  at = putText(scratch, at, 0x72, model);
  at = putNumber(scratch, at, 0x78, creditMicros);
  return memory.take(putBigint(scratch, at, 0x80, valueMicros));
}

/** Values of a DailyStats, of which `clicks` and `version` can't come near 2^53. */
interface CounterValues {
  clicks: number;
  conversionsMicros: bigint;
  revenueMicros: bigint;
  version: number;
}

/** A DailyStats. */
export function encodeCounter(partition: number, counter: CounterKey & CounterValues): Buffer {
  const { campaignId, source, conversionType, model } = counter;
  let at = begin(forCounters, 0, campaignId, source, conversionType, model);
  at = putNumber(scratch, at, 0x08, counter.day);
  at = putText(scratch, at, 0x12, campaignId);
  at = putText(scratch, at, 0x1a, source);
  at = putText(scratch, at, 0x22, conversionType);
  at = putText(scratch, at, 0x2a, model);
  at = putNumber(scratch, at, 0x30, partition);
  at = putNumber(scratch, at, 0x38, counter.clicks);
  at = putBigint(scratch, at, 0x40, counter.conversionsMicros);
  at = putBigint(scratch, at, 0x48, counter.revenueMicros);
  return Buffer.from(scratch.subarray(forCounters.used, putNumber(scratch, at, 0x50, counter.version)));
}

/** Memory of one counter at a time: its bytes are copied out, as they are kept. */
const forCounters = new OutputMemory();

/** Candidates of a decision that have no credit under a model, for one reason: from the place `from` to before `to`. */
interface Uncredited {
  touches: readonly Touch[];
  from: number;
  to: number;
  model: string;
  reason: string;
}

/** Candidates without credit that lie in a page, from the latest to the earliest. */
interface Written extends Uncredited {
  page: Buffer;
  /** Where each begins in the page, in the order in which they are written, and where the last one ends. */
  starts: number[];
}

/** The decision whose candidates are put, and where the next one goes. */
let explained: { decision: Decision; memory: OutputMemory; end: number };

function putCandidates(at: number, decision: Decision, memory: OutputMemory): number {
  explained = { decision, memory, end: at };
  explain(decision, putExplained);
  return explained.end;
}

function putExplained(model: string, from: number, to: number, creditMicros: number, reason: string): void {
  const { candidates: touches, userId } = explained.decision;
  if (creditMicros === 0 && to - from >= MANY_CANDIDATES) {
    const key = `${model} ${reason} ${userId}`;
    const { written } = explained.memory;
    const many = putMany(explained.end, { touches, from, to, model, reason }, written.get(key));
    written.set(key, many);
    explained.end = many.starts.at(-1)!;
    return;
  }
  let { end } = explained;
  for (let i = to - 1; i >= from; i--) end = putCandidate(end, touches[i]!, model, creditMicros, reason);
  explained.end = end;
}

/**
 * Most of the candidates that one decision of a user has, the next has, too, and in the same order: where they lie one
 * after the other in the `last`, they are copied as one.
 */
function putMany(at: number, candidates: Uncredited, last: Written | undefined): Written {
  const { touches, from, model, reason } = candidates;
  const starts: number[] = [];
  let end = at;
  let place = last === undefined ? -1 : last.to - 1;
  for (let i = candidates.to - 1; i >= from; ) {
    const touch = touches[i]!;
    let same = 0;
    if (last !== undefined) {
      while (place >= last.from && last.touches[place]!.timestamp > touch.timestamp) place--;
      const most = Math.min(i - from, place - last.from) + 1;
      while (same < most && touches[i - same] === last.touches[place - same]) same++;
    }
    if (last === undefined || same === 0) {
      starts.push(end);
      end = putCandidate(end, touch, model, 0, reason);
      i--;
      continue;
    }
    const first = last.to - 1 - place;
    const shift = end - last.starts[first]!;
    for (let n = first; n < first + same; n++) starts.push(last.starts[n]! + shift);
    end += last.page.copy(scratch, end, last.starts[first]!, last.starts[first + same]!);
    i -= same;
    place -= same;
  }
  starts.push(end);
  return { ...candidates, page: scratch, starts };
}

function putCandidate(at: number, touch: Touch, model: string, creditMicros: number, reason: string): number {
  const start = at + 3;
  scratch[start] = 0x0a;
  scratch[start + 1] = UUID_LENGTH;
  writeUuidText(scratch, start + 2, idOf(touch), 0);
  let end = putTexts(start + 2 + UUID_LENGTH, 0x12, touch);
  end = putNumber(scratch, end, 0x28, touch.timestamp);
  end = putName(end, 0x32, model);
  end = putNumber(scratch, end, 0x38, creditMicros);
  end = putName(end, 0x42, reason);
  scratch[at] = 0x42;
  scratch[at + 1] = ((end - start) & 0x7f) | 0x80;
  scratch[at + 2] = (end - start) >> 7;
  return end;
}

/** The ad, the campaign and the source of a touch, from this tag on, copied from where they are if that is known. */
function putTexts(at: number, tag: number, touch: Touch): number {
  const [adTag, campaignTag, sourceTag] = [tag, tag + NEXT_FIELD, tag + 2 * NEXT_FIELD];
  if (!(touch instanceof InternedTouch)) {
    const end = putText(scratch, putText(scratch, at, adTag, touch.adId), campaignTag, touch.campaignId);
    return putText(scratch, end, sourceTag, touch.source);
  }
  const { texts, ad, campaignSource } = touch;
  const { ads, campaignSources } = texts;
  const [start, sourceEnd] = [campaignSources.startOf(campaignSource), campaignSources.endOf(campaignSource)];
  const campaignEnd = texts.campaignEndOf(campaignSource);
  let end = putBytes(scratch, at, adTag, ads.bytes, ads.startOf(ad), ads.endOf(ad));
  end = putBytes(scratch, end, campaignTag, campaignSources.bytes, start, campaignEnd);
  return putBytes(scratch, end, sourceTag, campaignSources.bytes, campaignEnd + 1, sourceEnd);
}

/** From a tag to that of the field behind it, of the same type. */
const NEXT_FIELD = 1 << 3;

/** A text that there are few of, of models and reasons, whose bytes are kept. */
function putName(at: number, tag: number, name: string): number {
  let bytes = names.get(name);
  if (bytes === undefined) {
    bytes = Buffer.from(name);
    names.set(name, bytes);
  }
  return putBytes(scratch, at, tag, bytes, 0, bytes.length);
}

const names = new Map<string, Buffer>();

/** Where a message may begin that takes so many bytes, beside its fixed ones and these texts. */
function begin(memory: OutputMemory, bytes: number, ...texts: string[]): number {
  let needed = MAX_FIXED_BYTES + bytes;
  // No UTF-16 unit takes more than 3 bytes of UTF-8.
  for (const text of texts) needed += 3 * text.length;
  memory.reserve(needed);
  scratch = memory.page;
  return memory.used;
}
