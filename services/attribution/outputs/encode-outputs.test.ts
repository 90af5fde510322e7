import { create, fromBinary, type MessageInitShape } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  AttributedConversionSchema,
  CandidateReason,
  type CandidateSchema,
  ConversionDecisionSchema,
  CorrectionEffect,
} from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { EVENT_TYPES, MAX_ID_BYTES } from '../../contract/event-rules.ts';
import { HOUR_MS } from '../../contract/limits.ts';
import { sharesOf } from '../decision/decide.ts';
import { type Cause, type ConversionRef, type Decision, isAttributed } from '../decision/effects.ts';
import { explain } from '../decision/explain.ts';
import type { Credit, RememberedConversion, Shares, Touch } from '../decision/state.ts';
import { InternedTouch, putTouch, TOUCH_WORDS, TouchTexts, touchMemory } from '../memory/touch-memory.ts';
import { encodeAttributed, encodeDecision } from './encode-outputs.ts';
import { OutputMemory } from './output-memory.ts';

const time = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const text = fc
  .string({ unit: 'grapheme', maxLength: 40 })
  .filter((id) => Buffer.byteLength(id) <= MAX_ID_BYTES && !id.includes('\0'));
const money = fc.bigInt({ min: 0n, max: 10n ** 18n });
const creditMicros = fc.integer({ min: 0, max: 1_000_000 });
const texts = new TouchTexts();
const metadata = fc.constantFrom('', 'geo\0DE', 'geo\0ü\0os\0web');
const touch = fc
  .record({ clickId: fc.uuid(), timestamp: time, arrival: time, adId: text, campaignId: text, source: text, metadata })
  .chain((plain) => fc.constantFrom<Touch>(plain, interned(plain)));
const amount = fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n });
const conversion = fc.record({
  conversionId: fc.uuid(),
  timestamp: time,
  arrival: time,
  type: text,
  valueMicros: money,
  credits: fc.constant<Credit[]>([]),
  isCounted: fc.constant(true),
  models: fc.constant([]),
});
const causeOf = (conversion: RememberedConversion) =>
  fc.oneof(
    fc.constant<Cause>({ eventId: conversion.conversionId, type: 'conversion' }),
    fc.record<Cause>({ eventId: fc.uuid(), type: fc.constantFrom(...EVENT_TYPES) }),
  );
const standing = fc.record({
  retracted: fc.boolean(),
  valueMicros: money,
  refundsMicros: money,
  exceededMicros: money,
});
const correction = fc.record({
  correction: fc.record({
    targetId: fc.uuid(),
    eventId: fc.uuid(),
    kind: fc.constantFrom('refund' as const, 'restate' as const, 'retract' as const),
    valueMicros: money,
    timestamp: time,
    arrival: time,
  }),
  effect: fc.constantFrom(...(['applied', 'applied_in_part', 'exceeded', 'superseded', 'void'] as const)),
});
const UNADJUSTED = { adjustedMicros: 0n, refundsMicros: 0n };
/** The same touch with its texts as numbers. */
function interned(touch: Touch): InternedTouch {
  const memory = touchMemory(TOUCH_WORDS);
  putTouch(memory, 0, touch, texts);
  return new InternedTouch(texts, memory, 0);
}

const lookbackMs = fc.integer({ min: 1, max: 365 * 24 * HOUR_MS });

test('a decision is read as it was written', () => {
  // Of some there are more than are named. Not shrunk: of so many that takes minutes.
  const many = { maxLength: 200, size: 'max' } as const;
  const decision = conversion
    .chain((conversion) =>
      fc.record({
        ...{ userId: text, conversion: fc.constant(conversion), cause: causeOf(conversion), offset: time, lookbackMs },
        ...{ candidates: fc.array(touch, { maxLength: 30 }), invalid: fc.noShrink(fc.array(touch, many)) },
        ...{ models: fc.constantFrom(['m0'], ['m0', 'm1'], ['m1', 'm2', 'm0']), standing },
        ...{ corrections: fc.noShrink(fc.array(correction, many)), isTruncated: fc.boolean() },
      }),
    )
    .map((given): Decision => {
      const credited = (m: number) => given.candidates.filter((_, i) => i % 3 === m);
      const amounts = { valueMicros: 0n, ...UNADJUSTED };
      const credits = given.models.flatMap((model, m) =>
        credited(m).map((touch, i) => ({ model, touch, creditMicros: i * 1000, ...amounts })),
      );
      return { ...given, shares: sharesOf(given.candidates, credits) };
    });
  fc.assert(
    fc.property(decision, (given) => {
      const encoded = encodeDecision(given, new OutputMemory());
      expect(fromBinary(ConversionDecisionSchema, encoded)).toEqual(messageOf(given));
    }),
  );
});

test('decisions of a batch are read as they were written, though most of their many candidates are the same', () => {
  const touches = fc.array(touch, { minLength: 120, maxLength: 160 });
  /** Which of the touches are candidates, and which of these have credit. */
  const pick = fc.record({ first: fc.nat(40), count: fc.integer({ min: 60, max: 100 }), credited: fc.nat(59) });
  const picks = fc.array(pick, { minLength: 2, maxLength: 8 });
  const models = fc.constantFrom(['a'], ['a', 'b'], ['b', 'a']);
  fc.assert(
    fc.property(touches, picks, models, conversion, (all, picked, of, conversion) => {
      all.sort((a, b) => a.timestamp - b.timestamp);
      const batch = new OutputMemory();
      for (const { first, count, credited } of picked) {
        const candidates = all.slice(first, first + count);
        const touch = candidates[credited]!;
        const credits = of.map((model) => ({ model, touch, creditMicros: 1_000_000, valueMicros: 0n, ...UNADJUSTED }));
        const given = {
          ...UNCORRECTED,
          ...{ cause: { eventId: conversion.conversionId, type: 'conversion' as const }, models: of },
          ...{ userId: 'u', conversion, offset: first, lookbackMs: HOUR_MS, candidates },
          shares: sharesOf(candidates, credits),
        };
        const encoded = encodeDecision(given, batch);
        expect(fromBinary(ConversionDecisionSchema, encoded)).toEqual(messageOf(given));
      }
    }),
    { numRuns: 30 },
  );
});

const UNCORRECTED = {
  isTruncated: false,
  ...{ standing: { retracted: false, valueMicros: 0n, refundsMicros: 0n, exceededMicros: 0n } },
  ...{ invalid: [], corrections: [] },
};

function messageOf(given: Decision) {
  const candidates = [...candidatesOf(given), ...invalidOf(given)];
  const { conversion, standing, corrections } = given;
  return create(ConversionDecisionSchema, {
    conversionId: conversion.conversionId,
    userId: given.userId,
    conversionType: conversion.type,
    conversionTime: BigInt(conversion.timestamp),
    valueMicros: conversion.valueMicros,
    lookbackMs: BigInt(given.lookbackMs),
    attributed: isAttributed(given.shares),
    version: BigInt(given.offset),
    models: [...given.models],
    candidates,
    truncated: given.isTruncated,
    candidatesLeftOut: given.candidates.length + given.invalid.length - candidates.length,
    adjustedMicros: conversion.valueMicros - standing.valueMicros,
    refundsMicros: standing.refundsMicros,
    retracted: standing.retracted,
    corrections: corrections.slice(-100).map(({ correction, effect }) => {
      const { eventId, kind, valueMicros, timestamp } = correction;
      const told = CorrectionEffect[effect.toUpperCase() as keyof typeof CorrectionEffect];
      return { eventId, kind, valueMicros, timestamp: BigInt(timestamp), effect: told };
    }),
    correctionsLeftOut: Math.max(0, corrections.length - 100),
    ...causeFields(given),
  });
}

function causeFields({ cause, conversion }: ConversionRef) {
  const isOwn = cause.type === 'conversion' && cause.eventId === conversion.conversionId;
  return isOwn ? {} : { causeId: cause.eventId, causeType: cause.type };
}

type NewCandidate = MessageInitShape<typeof CandidateSchema>;

function candidatesOf(given: Decision): NewCandidate[] {
  const candidates: NewCandidate[] = [];
  explain(given, (from, to, credits, reasons) => {
    const judged = { creditsMicros: credits.map(BigInt), reasons: [...reasons] };
    for (const touch of given.candidates.slice(from, to).reverse()) candidates.push({ ...fieldsOf(touch), ...judged });
  });
  return candidates;
}

function invalidOf(given: Decision): NewCandidate[] {
  const [creditsMicros, reasons] = [given.models.map(() => 0n), given.models.map(() => CandidateReason.INVALID)];
  const shown = given.invalid.slice(-128).reverse();
  return shown.map((touch) => ({ ...fieldsOf(touch), creditsMicros, reasons }));
}

function fieldsOf({ clickId, adId, campaignId, source, timestamp }: Touch) {
  return { clickId, adId, campaignId, source, clickTime: BigInt(timestamp) };
}

test('what clicks have of a conversion is read as it was written', () => {
  const credit = fc.record({ creditMicros, valueMicros: money, adjustedMicros: amount, refundsMicros: money });
  /** Of each touch what it has under each of the models, before and after; undefined: nothing. */
  const of = fc.array(fc.option(credit, { nil: undefined }), { minLength: 3, maxLength: 3 });
  const touched = fc.uniqueArray(fc.record({ touch, before: of, after: of }), {
    selector: ({ touch }) => touch.clickId,
    minLength: 1,
    maxLength: 8,
  });
  const models = fc.constantFrom<string[]>(['m0'], ['m0', 'm1'], ['m1', 'm2', 'm0']);
  const row = conversion.chain((conversion) =>
    fc.record({
      ...{ userId: text, conversion: fc.constant(conversion), cause: causeOf(conversion), offset: time, lookbackMs },
      ...{ touched, was: models, is: models, isRetracted: fc.boolean() },
    }),
  );
  fc.assert(
    fc.property(row, ({ touched, was, is, ...ref }) => {
      const sharesUnder = (models: readonly string[], time: 'before' | 'after') => {
        const credits = models.flatMap((model, m) =>
          touched.flatMap(({ touch, ...of }) => (of[time][m] === undefined ? [] : { model, touch, ...of[time][m] })),
        );
        return sharesOf(
          touched.map(({ touch }) => touch),
          credits,
        );
      };
      const [before, after] = [sharesUnder(was, 'before'), sharesUnder(is, 'after')];
      const named = [...new Set([...after.byModel, ...before.byModel].map(({ model }) => model))];
      const sharesOfModel = ({ byModel }: Shares, name: string) => byModel.find(({ model }) => model === name);
      const change = {
        ...{ ...ref, touches: touched.map(({ touch }) => touch), places: touched.flatMap((_, i) => [i, i]) },
        wasRetracted: false,
        models: named.map((model) => {
          return { model, before: sharesOfModel(before, model), after: sharesOfModel(after, model) };
        }),
      };
      const isAdjusted = after.byModel.length > 0;
      const message = create(AttributedConversionSchema, {
        conversionId: ref.conversion.conversionId,
        userId: ref.userId,
        conversionType: ref.conversion.type,
        conversionTime: BigInt(ref.conversion.timestamp),
        attributionWindowHours: Math.ceil(ref.lookbackMs / HOUR_MS),
        version: BigInt(ref.offset),
        conversionRetracted: ref.isRetracted,
        models: named,
        clicks: touched.map(({ touch, after }) => {
          const given = named.map((model) => after[is.indexOf(model)] ?? NOTHING);
          return {
            ...fieldsOf(touch),
            creditsMicros: given.map((each) => BigInt(each.creditMicros)),
            valuesMicros: given.map((each) => each.valueMicros),
            adjustedMicros: isAdjusted ? given.map((each) => each.adjustedMicros) : [],
            refundsMicros: isAdjusted ? given.map((each) => each.refundsMicros) : [],
          };
        }),
        ...causeFields(change),
      });
      const encoded = encodeAttributed(change, 0, touched.length, new OutputMemory());
      expect(fromBinary(AttributedConversionSchema, encoded)).toEqual(message);
    }),
  );
});

const NOTHING = { creditMicros: 0, valueMicros: 0n, ...UNADJUSTED };
