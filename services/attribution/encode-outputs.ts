import { HOUR_MS } from '../shared/limits.ts';
import type { AttributedRow, CounterKey, Decision } from './effects.ts';
import { type Candidate, explain } from './explain.ts';
import type { Touch } from './state.ts';
import { InternedTouch, idOf, type WrittenCandidate } from './touch.ts';
import { UUID_LENGTH, writeUuidText } from './uuid.ts';

/**
 * Encoders of what attribution publishes most, which generic code took a fifth of its time for. The bytes are those
 * that toBinary gives, but for the length of a candidate, which always takes two.
 */

/** Most bytes of a candidate: its id, three texts, two integers, the names of a model and a reason, and their heads. */
const MAX_CANDIDATE_BYTES = 1024;
/** Most bytes of a message but for its texts and candidates. */
const MAX_FIXED_BYTES = 256;

/** Where messages are put together: encoding is synchronous, and the answer is a copy. */
let scratch = Buffer.allocUnsafe(64 * 1024);

/**
 * Candidates without credit of the decisions of one batch: those of a user with many clicks and conversions are nearly
 * the same in each. The memory is filled from its end, the earlier touches first, so that what a decision names, the
 * latest first, mostly lies one after the other.
 */
export class WrittenCandidates {
  bytes = Buffer.allocUnsafe(0);
  #used = 0;

  /** Where a candidate lies; undefined if it doesn't. */
  find({ touch, model, creditMicros, reason }: Candidate): WrittenCandidate | undefined {
    if (creditMicros !== 0 || !(touch instanceof InternedTouch)) return undefined;
    const { written } = touch;
    const isIt = written?.by === this && written.model === model && written.reason === reason;
    return isIt ? written : undefined;
  }

  /** Writes those of the first model that are not there; of a touch the last one is kept. */
  add(candidates: readonly Candidate[]): void {
    const { model } = candidates[0]!;
    for (let i = candidates.length - 1; i >= 0; i--) {
      const candidate = candidates[i]!;
      if (candidate.model === model && this.find(candidate) === undefined) this.#write(candidate);
    }
  }

  #write(candidate: Candidate): void {
    const { touch, model, creditMicros, reason } = candidate;
    if (creditMicros !== 0 || !(touch instanceof InternedTouch)) return;
    const length = putCandidate(0, candidate);
    if (this.#used + length > this.bytes.length) this.#grow(this.#used + length);
    this.#used += length;
    scratch.copy(this.bytes, this.bytes.length - this.#used, 0, length);
    touch.written = { by: this, model, reason, beforeEnd: this.#used, length };
  }

  #grow(needed: number): void {
    const grown = Buffer.allocUnsafe(2 * needed);
    this.bytes.copy(grown, grown.length - this.bytes.length);
    this.bytes = grown;
  }
}

/** From so many candidates on, they are looked for among those written. */
const MANY_CANDIDATES = 64;

/**
 * A ConversionDecision: it names every click of a day, whose texts are copied from where they are stored.
 *
 * @param batch of the decisions whose touches lie in memory at the same time
 */
export function encodeDecision(decision: Decision, batch: WrittenCandidates): Buffer {
  const { userId, conversion, credits, lookbackMs, offset } = decision;
  const candidates = explain(decision);
  const areMany = candidates.length >= MANY_CANDIDATES;
  // Before anything else is put where it writes them.
  if (areMany) batch.add(candidates);
  reserve(candidates.length * MAX_CANDIDATE_BYTES, userId, conversion.type);
  let at = putText(0, 0x0a, conversion.conversionId);
  at = putText(at, 0x12, userId);
  at = putText(at, 0x1a, conversion.type);
  at = putNumber(at, 0x20, conversion.timestamp);
  at = putBigint(at, 0x28, conversion.valueMicros);
  at = putNumber(at, 0x30, lookbackMs);
  at = putNumber(at, 0x38, credits.length > 0 ? 1 : 0);
  if (areMany) at = putManyCandidates(at, candidates, batch);
  else for (const candidate of candidates) at = putCandidate(at, candidate);
  return copyTo(putNumber(at, 0x48, offset));
}

/** An AttributedConversion. */
export function encodeAttributed({ userId, conversion, offset, credit, lookbackMs, retracted }: AttributedRow): Buffer {
  const { touch, model, creditMicros, valueMicros } = credit;
  const { adId, campaignId, source } = touch;
  reserve(0, userId, adId, campaignId, source, conversion.type, model);
  let at = putText(0, 0x0a, conversion.conversionId);
  at = putText(at, 0x12, touch.clickId);
  at = putText(at, 0x1a, userId);
  at = putText(at, 0x22, adId);
  at = putText(at, 0x2a, campaignId);
  at = putText(at, 0x32, source);
  at = putText(at, 0x3a, conversion.type);
  at = putDouble(at, 0x41, Number(valueMicros) / 1e6);
  at = putNumber(at, 0x48, touch.timestamp);
  at = putNumber(at, 0x50, conversion.timestamp);
  at = putNumber(at, 0x58, Math.ceil(lookbackMs / HOUR_MS));
  at = putNumber(at, 0x60, offset);
  at = putNumber(at, 0x68, retracted ? 1 : 0);
  at = putText(at, 0x72, model);
  at = putNumber(at, 0x78, creditMicros);
  // From field 16 on a tag takes two bytes.
  scratch[at] = 0x80;
  return copyTo(valueMicros === 0n ? at : putBigint(at + 1, 0x01, valueMicros));
}

/** Values of a DailyStats, of which `clicks` and `version` can't come near 2^53. */
export interface CounterValues {
  clicks: number;
  conversionsMicros: bigint;
  revenueMicros: bigint;
  version: number;
}

/** A DailyStats. */
export function encodeCounter(partition: number, counter: CounterKey & CounterValues): Buffer {
  const { campaignId, source, conversionType, model } = counter;
  reserve(0, campaignId, source, conversionType, model);
  let at = putNumber(0, 0x08, counter.day);
  at = putText(at, 0x12, campaignId);
  at = putText(at, 0x1a, source);
  at = putText(at, 0x22, conversionType);
  at = putText(at, 0x2a, model);
  at = putNumber(at, 0x30, partition);
  at = putNumber(at, 0x38, counter.clicks);
  at = putBigint(at, 0x40, counter.conversionsMicros);
  at = putBigint(at, 0x48, counter.revenueMicros);
  return copyTo(putNumber(at, 0x50, counter.version));
}

/** Copies what lies one after the other as one. */
function putManyCandidates(at: number, candidates: readonly Candidate[], batch: WrittenCandidates): number {
  const { bytes } = batch;
  let end = at;
  let [runStart, runEnd] = [0, 0];
  const putRun = () => {
    bytes.copy(scratch, end, runStart, runEnd);
    end += runEnd - runStart;
    runStart = runEnd = 0;
  };
  for (const candidate of candidates) {
    const written = batch.find(candidate);
    if (written === undefined) {
      putRun();
      end = putCandidate(end, candidate);
      continue;
    }
    const start = bytes.length - written.beforeEnd;
    if (start !== runEnd) {
      putRun();
      runStart = start;
    }
    runEnd = start + written.length;
  }
  putRun();
  return end;
}

function putCandidate(at: number, { touch, model, creditMicros, reason }: Candidate): number {
  const start = at + 3;
  scratch[start] = 0x0a;
  scratch[start + 1] = UUID_LENGTH;
  writeUuidText(scratch, start + 2, idOf(touch), 0);
  let end = putTexts(start + 2 + UUID_LENGTH, touch);
  end = putNumber(end, 0x28, touch.timestamp);
  end = putName(end, 0x32, model);
  end = putNumber(end, 0x38, creditMicros);
  end = putName(end, 0x42, reason);
  scratch[at] = 0x42;
  scratch[at + 1] = ((end - start) & 0x7f) | 0x80;
  scratch[at + 2] = (end - start) >> 7;
  return end;
}

/** The texts of a candidate's touch, copied from where they are if that is known. */
function putTexts(at: number, touch: Touch): number {
  if (!(touch instanceof InternedTouch)) {
    return putText(putText(putText(at, 0x12, touch.adId), 0x1a, touch.campaignId), 0x22, touch.source);
  }
  const { ads, placements } = touch.texts;
  const campaignEnd = touch.texts.campaignEndOf(touch.placement);
  let end = putBytes(at, 0x12, ads.bytes, ads.startOf(touch.ad), ads.endOf(touch.ad));
  end = putBytes(end, 0x1a, placements.bytes, placements.startOf(touch.placement), campaignEnd);
  return putBytes(end, 0x22, placements.bytes, campaignEnd + 1, placements.endOf(touch.placement));
}

/** Fields that are empty or zero are left out, as proto3 has it. */
function putText(at: number, tag: number, text: string): number {
  if (text === '') return at;
  scratch[at] = tag;
  const start = putVarint(at + 1, Buffer.byteLength(text));
  return start + scratch.write(text, start);
}

function putBytes(at: number, tag: number, bytes: Buffer, start: number, end: number): number {
  if (end === start) return at;
  scratch[at] = tag;
  const to = putVarint(at + 1, end - start);
  // A few bytes: a loop takes less than a call into the runtime.
  for (let i = start; i < end; i++) scratch[to + i - start] = bytes[i]!;
  return to + end - start;
}

/** A text that there are few of, of models and reasons, whose bytes are kept. */
function putName(at: number, tag: number, name: string): number {
  let bytes = names.get(name);
  if (bytes === undefined) {
    bytes = Buffer.from(name);
    names.set(name, bytes);
  }
  return putBytes(at, tag, bytes, 0, bytes.length);
}

const names = new Map<string, Buffer>();

function putNumber(at: number, tag: number, value: number): number {
  if (value === 0) return at;
  scratch[at] = tag;
  return putVarint(at + 1, value);
}

function putDouble(at: number, tag: number, value: number): number {
  if (value === 0) return at;
  scratch[at] = tag;
  return scratch.writeDoubleLE(value, at + 1);
}

/** Negative ones take ten bytes, as int64 has it. */
function putBigint(at: number, tag: number, value: bigint): number {
  if (value >= 0n && value <= Number.MAX_SAFE_INTEGER) return putNumber(at, tag, Number(value));
  scratch[at] = tag;
  let end = at + 1;
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) scratch[end++] = Number(rest & 0x7fn) | 0x80;
  scratch[end] = Number(rest);
  return end + 1;
}

function putVarint(at: number, value: number): number {
  let end = at;
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) scratch[end++] = (rest % 0x80) | 0x80;
  scratch[end] = rest;
  return end + 1;
}

/** Room for some bytes and these texts: no UTF-16 unit takes more than 3 bytes of UTF-8. */
function reserve(bytes: number, ...texts: string[]): void {
  let needed = MAX_FIXED_BYTES + bytes;
  for (const text of texts) needed += 3 * text.length;
  if (needed > scratch.length) scratch = Buffer.allocUnsafe(needed);
}

function copyTo(end: number): Buffer {
  return Buffer.from(scratch.subarray(0, end));
}
