import { expect, test } from 'vitest';
import { DAY_MS } from '../shared/limits.ts';
import { newClickIndex } from './click-index.ts';
import { storeTouch } from './touch.ts';

function touch(day: number, campaignId: string, source: string) {
  const clickId = '00000000-0000-4000-8000-000000000001';
  return storeTouch({ clickId, timestamp: day * DAY_MS + 1, arrival: 0, adId: 'ad', campaignId, source });
}

test('tells clicks apart by day, campaign and source, also where their bytes are the same', () => {
  const index = newClickIndex<string>();
  const kinds = [
    touch(1, 'ab', 'c'),
    touch(1, 'a', 'bc'),
    touch(1, 'abc', ''),
    touch(2, 'ab', 'c'),
    touch(1, 'é', 'c'),
  ];
  kinds.forEach((each, i) => {
    expect(index.get(each)).toBeUndefined();
    index.add(each, `${i}`);
    index.add(each, 'again');
  });
  expect(kinds.map((each) => index.get(each))).toEqual(['0', '1', '2', '3', '4']);
  expect(index.get(touch(1, 'ab', 'c'))).toBe('0');
  index.clear();
  expect(index.get(kinds[0]!)).toBeUndefined();
});
