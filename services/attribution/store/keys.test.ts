import { expect, test } from 'vitest';
import * as counterKeys from './counter-keys.ts';
import * as keys from './keys.ts';

test('no two kinds of entries of a store have keys in common', () => {
  const single = Object.entries(keys).filter(([name, value]) => name.endsWith('_KEY') && Buffer.isBuffer(value));
  const many = {
    user: keys.userKey('a'),
    spilled: keys.spilledKeyOf('a', 'touch'),
    counter: counterKeys.COUNTERS_FROM,
    'counter by text': keys.OLD_DAILY_FROM,
    'rollup by text': keys.OLD_ROLLUPS_FROM,
    'counter of 0.1': keys.OLD_COUNTERS_FROM,
    rollup: counterKeys.ROLLUPS_FROM,
    setting: keys.settingKey('model'),
    place: keys.placeKeyOf('a', 'touch'),
    ...Object.fromEntries(
      (['touch', 'conversion', 'invalid'] as const).map((kind) => [kind, keys.overflowKeysFrom(kind, 'a', 0)]),
    ),
  };
  const all = [...(single as [string, Buffer][]), ...Object.entries(many)];
  expect(single.length).toBeGreaterThan(4);
  const letters = Map.groupBy(all, ([, key]) => String.fromCharCode(key[0]!));
  expect([...letters].filter(([, kinds]) => kinds.length > 1)).toEqual([]);
});
