import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CandidateReason } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { sharesOf } from './decide.ts';
import { explain, mostNamed, namedInvalid } from './explain.ts';
import type { Credit, Touch } from './state.ts';

const [MOST_CREDITED, MOST_UNCREDITED, MOST_INVALID] = [1280, 256, 128];

/** Ascending by time and id, with ties. Not shrunk: of what is about some hundred, that takes minutes. */
const touches = fc
  .noShrink(fc.array(fc.nat(150), { minLength: 1, maxLength: 400, size: 'max' }))
  .map((times) => times.sort((a, b) => a - b).map((timestamp, i) => touchAt(timestamp, i)));

function touchAt(timestamp: number, i: number): Touch {
  return {
    clickId: String(i).padStart(4, '0'),
    timestamp,
    arrival: 0,
    adId: '',
    campaignId: '',
    source: '',
    metadata: '',
  };
}

const creditOf = (model: string, touch: Touch, creditMicros: number): Credit => {
  return { model, touch, creditMicros, valueMicros: 1n, adjustedMicros: 0n, refundsMicros: 0n };
};

function explained(models: readonly string[], candidates: readonly Touch[], credits: readonly Credit[]): string[] {
  const named: string[] = [];
  explain({ models, candidates, shares: sharesOf(candidates, credits) }, (from, to, micros, reasons) => {
    expect(from).toBeLessThan(to);
    const judged = micros.map((credit, i) => `${credit} ${CandidateReason[reasons[i]!]}`).join(', ');
    for (let i = to - 1; i >= from; i--) named.push(`${candidates[i]!.clickId}: ${judged}`);
  });
  return named;
}

/** One candidate under one model, judged by itself. */
function judged(touch: Touch, credits: readonly Credit[]): string {
  const own = credits.find((credit) => credit.touch === touch);
  if (own !== undefined) return `${own.creditMicros} CREDITED`;
  const [winner] = credits;
  if (winner === undefined) return '0 UNSPECIFIED';
  if (credits.length > 1) return '0 SHARE_BELOW_ONE_MICRO';
  const later = touch.timestamp - winner.touch.timestamp;
  return `0 ${later === 0 ? 'LOST_TIE_ON_EVENT_ID' : later < 0 ? 'OLDER_THAN_WINNER' : 'NEWER_THAN_WINNER'}`;
}

/** Those with credit and the latest of the others, the latest first. */
function expected(models: readonly string[], candidates: readonly Touch[], credits: readonly Credit[]): string[] {
  const credited = new Set(credits.map(({ touch }) => touch));
  const others = new Set(candidates.filter((touch) => !credited.has(touch)).slice(-MOST_UNCREDITED));
  return candidates
    .filter((touch) => credited.has(touch) || others.has(touch))
    .map((touch) => {
      const ofModels = models.map((model) =>
        judged(
          touch,
          [...credits].filter((credit) => credit.model === model),
        ),
      );
      return `${touch.clickId}: ${ofModels.join(', ')}`;
    })
    .reverse();
}

/** Under each model one winner, several with credit, or none as it is not the model of a conversion decided before. */
const shares = fc.array(
  fc.oneof(
    fc.nat().map((winner) => ({ winner })),
    fc.record({ every: fc.integer({ min: 1, max: 20 }) }),
    fc.constant({}),
  ),
  { minLength: 1, maxLength: 5 },
);

test('every candidate is named once, with its credit and the reason for it under every model', () => {
  fc.assert(
    fc.property(touches, shares, (candidates, picked) => {
      const models = picked.map((_, m) => `m${m}`);
      const credits = picked.flatMap((pick, m) => {
        if ('winner' in pick) return [creditOf(models[m]!, candidates[pick.winner % candidates.length]!, 1_000_000)];
        const every = 'every' in pick ? pick.every : 0;
        return candidates.filter((_, i) => i % every === 0).map((touch, i) => creditOf(models[m]!, touch, i));
      });
      expect(explained(models, candidates, credits)).toEqual(expected(models, candidates, credits));
    }),
  );
});

test('of very many with credit the latest are named, and the first', () => {
  const candidates = Array.from({ length: 2000 }, (_, i) => touchAt(i, i));
  const credits = candidates.slice(100, 1900).map((touch) => creditOf('linear', touch, 1));
  const named = explained(['linear'], candidates, credits).map((text) => text.split(':')[0]);
  const latest = [...candidates.slice(1900), ...candidates.slice(1900 - MOST_CREDITED + 1, 1900)];
  const ids = [candidates[100]!, ...latest, ...candidates.slice(0, 100)].map(({ clickId }) => clickId);
  expect(named).toEqual(ids.sort().reverse());
});

test('of very many invalid clicks the latest are named', () => {
  const clicks = Array.from({ length: 2000 }, (_, i) => touchAt(i, i));
  expect(namedInvalid({ invalid: clicks })).toEqual(clicks.slice(-MOST_INVALID));
  expect(mostNamed({ candidates: clicks, invalid: clicks })).toBe(MOST_CREDITED + MOST_UNCREDITED + MOST_INVALID);
});
