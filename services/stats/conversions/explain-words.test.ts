import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import {
  CandidateReason,
  type ConversionDecision,
  ConversionDecisionSchema,
  CorrectionEffect,
} from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { ExplainedCorrectionSchema, NearMissSchema } from '../../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { duration, summaryOf, textOfCorrection, textOfMiss } from './explain-words.ts';

const HOUR = 3_600_000n;
const TIME = 1_700_000_000_000n;

/** A decision on clicks, newest first, each as its campaign and its credits in percent, or "!" if it is invalid. */
function decision(candidates: readonly string[], more: Partial<ConversionDecision> = {}): ConversionDecision {
  const clicks = candidates.map((text) => {
    const [campaignId, ...credits] = text.split(' ');
    const invalid = credits[0] === '!';
    const creditsMicros = invalid ? [0n, 0n] : credits.map((percent) => BigInt(percent) * 10_000n);
    const reasons = creditsMicros.map((credit) => {
      if (invalid) return CandidateReason.INVALID;
      return credit > 0n ? CandidateReason.CREDITED : CandidateReason.OLDER_THAN_WINNER;
    });
    return { campaignId: campaignId!, creditsMicros, reasons };
  });
  const { $typeName: _, ...init } = create(ConversionDecisionSchema, {
    ...{ candidates: clicks, models: ['last_click', 'linear'], conversionTime: TIME, lookbackMs: 24n * HOUR },
    attributed: candidates.some((text) => !text.endsWith('!')),
  });
  return create(ConversionDecisionSchema, { ...init, ...more });
}

test.each([
  [['x 100 100'], 'last_click', 'credited to campaign x: the only click in the 24 h before'],
  [
    ['x 100 25', 'y 0 25', 'x 0 25', 'z 0 25'],
    'last_click',
    'credited to campaign x: the last of 4 clicks in the 24 h before',
  ],
  [['x 0 50', 'y 100 50'], 'last_click', 'credited to campaign y: the first of 2 clicks in the 24 h before'],
  [
    ['x 100 50', 'y ! ', 'z 0 50'],
    'last_click',
    'credited to campaign x: the last of 2 clicks in the 24 h before; 1 more is invalid by a verdict',
  ],
  [
    ['x 100 20', 'y 0 40', 'x 0 40'],
    'linear',
    'credited to 3 of 3 clicks in the 24 h before under linear: campaign x with 60 %, campaign y with 40 %',
  ],
  [
    ['a 1 30', 'b 0 25', 'c 0 20', 'd 0 15', 'e 0 10'],
    'linear',
    'credited to 5 of 5 clicks in the 24 h before under linear: campaign a with 30 %, campaign b with 25 %, ' +
      'campaign c with 20 % and 2 more',
  ],
  [['x 0 100'], 'position_based', 'credited, but what position_based makes of it is not told'],
  [['x !'], 'last_click', 'not credited: the only click in the 24 h before is invalid by a verdict'],
  [['x !', 'y !'], 'last_click', 'not credited: all 2 clicks in the 24 h before are invalid by verdicts'],
])('clicks %j under %s', (candidates, model, summary) => {
  expect(summaryOf(decision(candidates), model, [])).toBe(summary);
});

test('a conversion that is retracted says so', () => {
  const summary = 'credited to campaign x: the only click in the 24 h before; it is retracted and counts no more';
  expect(summaryOf(decision(['x 100'], { retracted: true }), 'last_click', [])).toBe(summary);
});

test('clicks that the decision does not name are counted', () => {
  const summary = 'credited to campaign x: the last of 301 clicks in the 24 h before';
  expect(summaryOf(decision(['x 100'], { candidatesLeftOut: 300 }), 'last_click', [])).toBe(summary);
});

function miss(reason: string, before: bigint) {
  const near = create(NearMissSchema, { reason, clickTime: TIME - before });
  return { ...near, text: textOfMiss(near, decision([])) };
}

test.each([
  [[], 'not credited: no click of this user is known'],
  [
    [
      miss('after_conversion', -HOUR),
      miss('before_lookback_window', 26n * HOUR),
      miss('before_lookback_window', 99n * HOUR),
    ],
    'not credited: the nearest click was 26 h before; the window is 24 h',
  ],
  [
    [miss('after_conversion', -90_000_000n), miss('after_conversion', -90_000n)],
    'not credited: the nearest click was 1 min 30 s after it',
  ],
  [
    [miss('no_longer_kept', 3n * HOUR), miss('before_lookback_window', 24n * HOUR + 1n)],
    'not credited: the nearest click was 3 h before; no longer kept when it was decided',
  ],
])('near misses %#', (misses, summary) => {
  expect(summaryOf(decision([]), 'last_click', misses)).toBe(summary);
});

test.each([
  [0n, '0 s'],
  [1n, '1 ms'],
  [61_000n, '1 min 1 s'],
  [24n * HOUR, '24 h'],
  [24n * HOUR + 1n, '24 h 1 ms'],
  [48n * HOUR, '48 h'],
  [48n * HOUR + 1n, '2 d 1 ms'],
  [168n * HOUR, '7 d'],
  [26n * HOUR + 303_000n, '26 h 5 min'],
])('%d ms are %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});

const { APPLIED, APPLIED_IN_PART, EXCEEDED, SUPERSEDED, VOID, TOO_LATE, UNSPECIFIED } = CorrectionEffect;

test.each([
  ['adjustment', 'refund', APPLIED, 'refunded 5: 20 → 15'],
  ['adjustment', 'restate', APPLIED, 'restated: 20 → 15'],
  ['adjustment', 'retract', APPLIED, 'retracted: 20 → 15'],
  ['adjustment', 'refund', APPLIED_IN_PART, 'refunded 5, of which not all was left: 20 → 15'],
  ['adjustment', 'refund', EXCEEDED, 'refunded 5, but nothing was left'],
  ['adjustment', 'refund', SUPERSEDED, 'changes nothing: a later restate stands'],
  ['adjustment', 'refund', VOID, 'changes nothing: the conversion is retracted'],
  ['adjustment', 'refund', TOO_LATE, 'changes nothing: it came too late'],
  ['adjustment', 'refund', UNSPECIFIED, 'what it does is not known, or not yet'],
  ['verdict', 'invalid', APPLIED, 'its click takes no credit'],
  ['verdict', 'valid', APPLIED, 'its click may take credit'],
  ['verdict', 'invalid', SUPERSEDED, 'changes nothing: a later verdict stands'],
])('%s %s with effect %i', (eventType, kind, effect, text) => {
  const values = { valueMicros: 5_000_000n, valueBeforeMicros: 20_000_000n, valueAfterMicros: 15_000_000n };
  expect(textOfCorrection(create(ExplainedCorrectionSchema, { eventType, kind, effect, ...values }))).toBe(text);
});
