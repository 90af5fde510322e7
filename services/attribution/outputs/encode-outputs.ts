import { CandidateReason, CorrectionEffect } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { Role } from '../../../gen/ts/clickmesh/v1/rules_pb.js';
import { EVENTS } from '../../contract/event-rules.ts';
import { HOUR_MS } from '../../contract/limits.ts';
import { UUID_LENGTH, writeUuidText } from '../../contract/uuid.ts';
import { putBigint, putBigVarint, putBytes, putNumber, putText, putVarint } from '../../contract/wire.ts';
import {
  type ConversionRef,
  type Decision,
  isAttributed,
  type ModelChange,
  type SharesChange,
} from '../decision/effects.ts';
import { explain, mostNamed, namedInvalid } from '../decision/explain.ts';
import type { EffectiveCorrection, Touch } from '../decision/state.ts';
import { idOf } from '../decision/touch-id.ts';
import { InternedTouch } from '../memory/touch-memory.ts';
import type { OutputMemory, Uncredited, Written } from './output-memory.ts';

/**
 * Encoders of what attribution publishes most, which generic code took a fifth of its time for. The bytes are those
 * that toBinary gives, but for the length of a candidate, which always takes two.
 */

/** Most bytes of a click, but for what models make of it: its id, three texts, a time and their heads. */
const MAX_CLICK_BYTES = 464;
/** Most bytes of what one model makes of a candidate: a credit in three, and a reason. */
const MODEL_BYTES = 4;
/** Most bytes of a correction. */
const MAX_CORRECTION_BYTES = 96;
/** Most bytes of a message but for its texts, candidates and corrections. */
const MAX_FIXED_BYTES = 256;

/** Most corrections that a decision names. */
const MAX_CORRECTIONS = 100;

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
  const { userId, conversion, shares, models, lookbackMs, standing, offset } = decision;
  const { length } = decision.corrections;
  areShared = decision.candidates.length >= MANY_CANDIDATES;
  const candidateBytes = mostNamed(decision) * (MAX_CLICK_BYTES + models.length * MODEL_BYTES);
  const correctionBytes = Math.min(length, MAX_CORRECTIONS) * MAX_CORRECTION_BYTES;
  let at = begin(memory, candidateBytes + correctionBytes, userId, conversion.type, ...models);
  at = putText(scratch, at, 0x0a, conversion.conversionId);
  at = putText(scratch, at, 0x12, userId);
  at = putText(scratch, at, 0x1a, conversion.type);
  at = putNumber(scratch, at, 0x20, conversion.timestamp);
  at = putBigint(scratch, at, 0x28, conversion.valueMicros);
  at = putNumber(scratch, at, 0x30, lookbackMs);
  at = putNumber(scratch, at, 0x38, isAttributed(shares) ? 1 : 0);
  at = putNumber(scratch, at, 0x48, offset);
  for (const model of models) at = putName(at, 0x52, model);
  at = putCandidates(at, decision, memory);
  at = putNumber(scratch, at, 0x68, decision.isTruncated ? 1 : 0);
  at = putBigint(scratch, at, 0x70, conversion.valueMicros - standing.valueMicros);
  at = putBigint(scratch, at, 0x78, standing.refundsMicros);
  at = putNumber(scratch, at, 0x80, standing.retracted ? 1 : 0);
  for (let i = Math.max(0, length - MAX_CORRECTIONS); i < length; i++) {
    at = putCorrection(at, decision.corrections[i]!);
  }
  at = putNumber(scratch, at, 0x90, Math.max(0, length - MAX_CORRECTIONS));
  return memory.take(putCause(at, 0x9a, decision));
}

/** Most clicks of an AttributedConversion, so that it fits a record of the log (1 MiB). */
export const MAX_CLICKS = 1000;

/** An AttributedConversion of some touches of a change: those from `from` to before `to`. */
export function encodeAttributed(change: SharesChange, from: number, to: number, memory: OutputMemory): Buffer {
  const { userId, conversion, offset, touches, models } = change;
  areShared = to - from >= MANY_CANDIDATES;
  let bytes = 0;
  for (let i = from; i < to; i++) bytes += FIXED_CLICK_BYTES + textBytes(touches[i]!);
  let at = begin(memory, bytes + (to - from) * models.length * AMOUNTS_BYTES, userId, conversion.type);
  at = putText(scratch, at, 0x0a, conversion.conversionId);
  at = putText(scratch, at, 0x1a, userId);
  at = putText(scratch, at, 0x3a, conversion.type);
  at = putNumber(scratch, at, 0x50, conversion.timestamp);
  at = putNumber(scratch, at, 0x58, Math.ceil(change.lookbackMs / HOUR_MS));
  at = putNumber(scratch, at, 0x60, offset);
  at = putNumber(scratch, at, 0x98, change.isRetracted ? 1 : 0);
  at = putCause(at, 0xa2, change);
  for (const { model } of models) at = putName(at, 0xb2, model);
  for (let i = from; i < to; i++) at = putClick(at, touches[i]!, change.places[2 * i + 1]!, models);
  return memory.take(at);
}

/** Most bytes of a click but for its texts and amounts. */
const FIXED_CLICK_BYTES = 96;
/** Most bytes of what a click has under one model. */
const AMOUNTS_BYTES = 33;

/** Most bytes of a touch's texts. */
function textBytes(touch: Touch): number {
  if (!(touch instanceof InternedTouch)) {
    return 3 * (touch.adId.length + touch.campaignId.length + touch.source.length);
  }
  const { ads, campaignSources } = touch.texts;
  const { ad, campaignSource } = touch;
  return (
    ads.endOf(ad) - ads.startOf(ad) + campaignSources.endOf(campaignSource) - campaignSources.startOf(campaignSource)
  );
}

/** What the touch at a place of the shares has now of a conversion, under each of its models. */
function putClick(at: number, touch: Touch, place: number, models: readonly ModelChange[]): number {
  const start = at + 4;
  let end = putTouch(start, touch);
  let isAdjusted = false;
  const credits = end;
  end += 3;
  for (let m = 0; m < models.length; m++) {
    const { after } = models[m]!;
    const i = after === undefined ? -1 : place - after.from;
    // Beyond the end of a list V8 looks for what is there by a way of its own.
    if (i < 0 || i >= after!.creditMicros.length) scratch[end++] = 0;
    else end = putVarint(scratch, end, after!.creditMicros[i]!);
    isAdjusted ||= after?.adjustedMicros !== undefined;
  }
  putHead(credits, 0x32, end);
  end = putAmounts(end, 0x3a, place, models, 'valueMicros');
  if (isAdjusted) {
    end = putAmounts(end, 0x42, place, models, 'adjustedMicros');
    end = putAmounts(end, 0x4a, place, models, 'refundsMicros');
  }
  scratch[at] = 0xba;
  scratch[at + 1] = 0x01;
  scratch[at + 2] = ((end - start) & 0x7f) | 0x80;
  scratch[at + 3] = (end - start) >> 7;
  return end;
}

function putAmounts(
  at: number,
  tag: number,
  place: number,
  models: readonly ModelChange[],
  name: 'valueMicros' | 'adjustedMicros' | 'refundsMicros',
): number {
  let end = at + 3;
  for (let m = 0; m < models.length; m++) {
    const { after } = models[m]!;
    const i = after === undefined ? -1 : place - after.from;
    const amount = i < 0 || i >= after!.creditMicros.length ? 0 : (after![name]?.[i] ?? 0);
    if (amount === 0) scratch[end++] = 0;
    else if (typeof amount === 'number' && amount > 0) end = putVarint(scratch, end, amount);
    else end = putBigVarint(scratch, end, BigInt(amount));
  }
  putHead(at, tag, end);
  return end;
}

/** The tag and the length, in two bytes, of what lies behind them up to `end`. */
function putHead(at: number, tag: number, end: number): void {
  const length = end - at - 3;
  scratch[at] = tag;
  scratch[at + 1] = (length & 0x7f) | 0x80;
  scratch[at + 2] = length >> 7;
}

/** The event that caused a row or a decision, from this tag on; nothing if it is the conversion itself. */
function putCause(at: number, tag: number, { cause, conversion }: ConversionRef): number {
  if (cause.eventId === conversion.conversionId && EVENTS[cause.type].role === Role.OUTCOME) return at;
  return putName(putText(scratch, at, tag, cause.eventId), tag + NEXT_FIELD, cause.type);
}

/** The decision whose candidates are put, where the next one goes, and how many are put. */
let explained: { decision: Decision; memory: OutputMemory; end: number; named: number };

/** The candidates, the invalid clicks and how many are left out. */
function putCandidates(at: number, decision: Decision, memory: OutputMemory): number {
  explained = { decision, memory, end: at, named: 0 };
  explain(decision, putExplained);
  const { models, candidates, invalid } = decision;
  let { end, named } = explained;
  if (invalid.length > 0) {
    const shown = namedInvalid(decision);
    named += shown.length;
    writeJudged(
      models.map(() => 0),
      models.map(() => CandidateReason.INVALID),
    );
    for (let i = shown.length - 1; i >= 0; i--) end = putCandidate(end, shown[i]!);
  }
  return putNumber(scratch, end, 0x60, candidates.length + invalid.length - named);
}

function putExplained(from: number, to: number, credits: readonly number[], reasons: readonly CandidateReason[]): void {
  const { candidates: touches, userId } = explained.decision;
  explained.named += to - from;
  writeJudged(credits, reasons);
  if (to - from >= MANY_CANDIDATES) {
    const key = `${reasons.join(' ')} ${userId}`;
    const { written } = explained.memory;
    const many = putMany(explained.end, { touches, from, to }, written.get(key));
    written.set(key, many);
    explained.end = many.starts.at(-1)!;
    return;
  }
  let { end } = explained;
  for (let i = to - 1; i >= from; i--) end = putCandidate(end, touches[i]!);
  explained.end = end;
}

/**
 * Most of the candidates that one decision of a user has, the next has, too, and in the same order: where they lie one
 * after the other in the `last`, they are copied as one.
 */
function putMany(at: number, candidates: Uncredited, last: Written | undefined): Written {
  const { touches, from } = candidates;
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
      end = putCandidate(end, touch);
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

/** What the models make of the candidates that are put next: their credits and reasons, as fields of a Candidate. */
let judged = Buffer.alloc(0);
let judgedBytes = 0;

function writeJudged(credits: readonly number[], reasons: readonly CandidateReason[]): void {
  const models = credits.length;
  const needed = 4 * HEAD_BYTES + models * MODEL_BYTES;
  if (judged.length < needed) judged = Buffer.allocUnsafeSlow(needed);
  judged[0] = 0x32;
  let at = 2;
  for (let i = 0; i < models; i++) at = putVarint(judged, at, credits[i]!);
  // Less than 128: there are a handful of models, and a credit takes three bytes.
  judged[1] = at - 2;
  judged[at] = 0x3a;
  at = putVarint(judged, at + 1, models);
  for (let i = 0; i < models; i++) judged[at++] = reasons[i]!;
  judgedBytes = at;
}

/** Bytes of a tag or a length. */
const HEAD_BYTES = 3;

function putCandidate(at: number, touch: Touch): number {
  const start = at + 3;
  let end = putTouch(start, touch);
  for (let i = 0; i < judgedBytes; i++) scratch[end++] = judged[i]!;
  scratch[at] = 0x5a;
  scratch[at + 1] = ((end - start) & 0x7f) | 0x80;
  scratch[at + 2] = (end - start) >> 7;
  return end;
}

/** Whether touches are put that many conversions of the batch may have. */
let areShared = false;
/** Touches as they are put, those of one batch. */
const shared = Buffer.allocUnsafeSlow(1 << 20);
let sharedBytes = 0;
let batch = 1;

/** Forgets touches that were put before: their memory may be that of others now. */
export function beginBatch(): void {
  batch++;
  sharedBytes = 0;
}

/** The fields that a click of a conversion and a candidate have alike. */
function putTouch(at: number, touch: Touch): number {
  if (!areShared || !(touch instanceof InternedTouch)) return putTouchFields(at, touch);
  if (touch.writtenIn !== batch) {
    const end = putTouchFields(at, touch);
    if (sharedBytes + end - at > shared.length) beginBatch();
    touch.written = sharedBytes;
    touch.writtenBytes = end - at;
    touch.writtenIn = batch;
    for (let i = at; i < end; i++) shared[sharedBytes++] = scratch[i]!;
    return end;
  }
  return at + shared.copy(scratch, at, touch.written, touch.written + touch.writtenBytes);
}

function putTouchFields(at: number, touch: Touch): number {
  scratch[at] = 0x0a;
  scratch[at + 1] = UUID_LENGTH;
  writeUuidText(scratch, at + 2, idOf(touch), 0);
  return putNumber(scratch, putTexts(at + 2 + UUID_LENGTH, 0x12, touch), 0x28, touch.timestamp);
}

function putCorrection(at: number, { correction, effect }: EffectiveCorrection): number {
  const start = at + 3;
  let end = putText(scratch, start, 0x0a, correction.eventId);
  end = putName(end, 0x12, correction.kind);
  end = putBigint(scratch, end, 0x18, correction.valueMicros);
  end = putNumber(scratch, end, 0x20, correction.timestamp);
  end = putNumber(scratch, end, 0x28, EFFECTS[effect]);
  scratch[at] = 0x8a;
  scratch[at + 1] = 0x01;
  // All of it takes less than 128 bytes.
  scratch[at + 2] = end - start;
  return end;
}

const EFFECTS: Readonly<Record<EffectiveCorrection['effect'], CorrectionEffect>> = {
  applied: CorrectionEffect.APPLIED,
  applied_in_part: CorrectionEffect.APPLIED_IN_PART,
  exceeded: CorrectionEffect.EXCEEDED,
  superseded: CorrectionEffect.SUPERSEDED,
  void: CorrectionEffect.VOID,
};

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
  let end = putBytes(scratch, at, adTag, ads.bytes, ads.startOf(ad), texts.adIdEndOf(ad));
  end = putBytes(scratch, end, campaignTag, campaignSources.bytes, start, campaignEnd);
  return putBytes(scratch, end, sourceTag, campaignSources.bytes, campaignEnd + 1, sourceEnd);
}

/** From a tag to that of the field behind it, of the same type. */
const NEXT_FIELD = 1 << 3;

/** A text that there are few of, of models, kinds and types, whose bytes are kept. */
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
