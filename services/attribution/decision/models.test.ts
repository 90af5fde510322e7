import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { apportion, apportionNumber, MODELS, type ModelName, weightsOf } from './models.ts';

const HOUR = 3_600_000;

function creditPercents(model: ModelName, hours: number[]): number[] {
  const touches = hours.map((hour, i) => ({
    clickId: String(i),
    timestamp: hour * HOUR,
    arrival: 0,
    adId: '',
    metadata: '',
    campaignId: '',
    source: '',
  }));
  const weights = MODELS[model](touches, { timestamp: 24 * HOUR, lookbackMs: 24 * HOUR });
  return apportionNumber(1_000_000, weightsOf(weights)).map((micros) => micros / 10_000);
}

describe('models', () => {
  test.each<[ModelName, number[], number[]]>([
    ['last_click', [1, 2, 3], [100]],
    ['first_click', [1, 2, 3], [100, 0, 0]],
    ['linear', [1, 2, 3, 4], [25, 25, 25, 25]],
    ['linear', [1, 2, 3], [33.3333, 33.3333, 33.3334]],
    ['position_based', [1], [100]],
    ['position_based', [1, 2], [50, 50]],
    ['position_based', [1, 2, 3], [40, 20, 40]],
    ['position_based', [1, 2, 3, 4], [40, 10, 10, 40]],
    ['time_decay', [24], [100]],
    // A quarter of the lookback window is one half-life.
    ['time_decay', [18, 24], [33.3333, 66.6667]],
    ['time_decay', [0, 24], [5.8824, 94.1176]],
  ])('%s of touches at hours %j', (model, hours, percents) => {
    expect(creditPercents(model, hours)).toEqual(percents);
  });
});

test('shares sum to the whole, and are the exact quota, or one more where the remainder is largest', () => {
  const weight = fc.oneof(fc.bigInt({ min: 0n, max: 1n << 45n }), fc.bigInt({ min: 0n, max: 3n }));
  const weights = fc.array(weight, { minLength: 1, maxLength: 300 });
  const money = fc.oneof(fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.bigInt({ min: 0n, max: 10n ** 7n }));
  fc.assert(
    fc.property(money, weights, (total, w) => {
      fc.pre(w.some((weight) => weight > 0n));
      const sum = w.reduce((a, b) => a + b, 0n);
      const given = weightsOf(w.map(Number));
      const shares = Array.from(apportion(total, given), BigInt);
      if (total < 2n ** 53n) expect(apportionNumber(Number(total), given).map(BigInt)).toEqual(shares);
      expect(shares.reduce((a, b) => a + b, 0n)).toBe(total);
      shares.forEach((share, i) => {
        const quota = (total * w[i]!) / sum;
        expect(share === quota || share === quota + 1n).toBe(true);
      });
      // Those with the largest remainders have one more, of equal ones the later.
      const remainders = w.map((weight) => (total * weight) % sum);
      const order = w.map((_, i) => i).sort((a, b) => Number(remainders[b]! - remainders[a]!) || b - a);
      const more = order.map((i) => shares[i]! - (total * w[i]!) / sum);
      expect(more).toEqual(more.toSorted((a, b) => Number(b - a)));
    }),
    { numRuns: 1000 },
  );
});
