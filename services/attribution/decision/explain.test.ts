import fc from 'fast-check';
import { expect, test } from 'vitest';
import { explain } from './explain.ts';
import type { Credit, Touch } from './state.ts';

const MOST = 256;

/** Ascending by time and id, with ties. Not shrunk: of what is about some hundred, that takes minutes. */
const touches = fc
  .noShrink(fc.array(fc.nat(150), { minLength: 1, maxLength: 400, size: 'max' }))
  .map((times) => times.sort((a, b) => a - b).map((timestamp, i) => touchAt(timestamp, i)));

function touchAt(timestamp: number, i: number): Touch {
  return { clickId: String(i).padStart(3, '0'), timestamp, arrival: 0, adId: '', campaignId: '', source: '' };
}

const creditOf = (model: string, touch: Touch, creditMicros: number): Credit => {
  return { model, touch, creditMicros, valueMicros: 0n, adjustedMicros: 0n, refundsMicros: 0n };
};

function explained(candidates: readonly Touch[], credits: readonly Credit[]): string[] {
  const named: string[] = [];
  explain({ candidates, credits }, (model, from, to, creditMicros, reason) => {
    expect(from).toBeLessThan(to);
    for (let i = to - 1; i >= from; i--) named.push(`${model} ${candidates[i]!.clickId} ${creditMicros} ${reason}`);
  });
  return named;
}

/** Those with credit and the latest of the others, the latest first. */
function named(candidates: readonly Touch[], credits: readonly Credit[], reasonOf: (touch: Touch) => string): string[] {
  const ofTouch = new Map(credits.map((credit) => [credit.touch, credit]));
  const others = candidates.filter((touch) => !ofTouch.has(touch)).slice(-(MOST - credits.length));
  return candidates
    .filter((touch) => ofTouch.has(touch) || others.includes(touch))
    .reverse()
    .map((touch) => {
      const credit = ofTouch.get(touch);
      const why = credit === undefined ? `0 ${reasonOf(touch)}` : `${credit.creditMicros} credited`;
      return `${credits[0]!.model} ${touch.clickId} ${why}`;
    });
}

test('beside a winner, every candidate is older, newer or has lost a tie', () => {
  fc.assert(
    fc.property(touches, fc.nat(), fc.nat(), (candidates, one, other) => {
      const winners = [candidates[one % candidates.length]!, candidates[other % candidates.length]!];
      const expected = winners.map((winner, i) =>
        named(candidates, [creditOf(`m${i}`, winner, 1_000_000)], ({ timestamp }) => {
          if (timestamp === winner.timestamp) return 'lost_tie_on_event_id';
          return timestamp < winner.timestamp ? 'older_than_winner' : 'newer_than_winner';
        }),
      );
      const credits = winners.map((winner, i) => creditOf(`m${i}`, winner, 1_000_000));
      expect(explained(candidates, credits)).toEqual(expected.flat());
    }),
  );
});

test('beside several with credit, the others had too little', () => {
  fc.assert(
    fc.property(
      touches.filter(({ length }) => length > 1),
      fc.integer({ min: 2, max: 20 }),
      (candidates, every) => {
        const credited = candidates.filter((_, i) => i % every === 0 || i === 1).slice(0, MOST);
        const credits = credited.map((touch, i) => creditOf('m', touch, i + 1));
        expect(explained(candidates, credits)).toEqual(named(candidates, credits, () => 'share_below_one_micro'));
      },
    ),
  );
});
