import { expect, test } from 'vitest';
import { memoryStateStore } from '../../../test/fixtures/memory-state-store.ts';
import { encodeUser } from '../../../test/fixtures/user-bytes.ts';
import { HOUR_MS } from '../../contract/limits.ts';
import { attributionConfig, parseAttributionEnvironment } from '../decision/config.ts';
import { counterKey } from './counter-keys.ts';
import { PROGRESS_KEY, placeKeyOf, putId, spilledKeyOf, userKey } from './keys.ts';
import { storedId } from './stored-ids.ts';
import { newSweep } from './sweep.ts';

const config = attributionConfig(parseAttributionEnvironment({}));
const now = 10_000 * HOUR_MS;

function userSeen(age: { click?: number; conversion?: number }) {
  const touch = {
    clickId: '00000000-0000-4000-8000-000000000001',
    timestamp: 0,
    adId: '',
    campaignId: '',
    source: '',
    metadata: '',
  };
  const conversion = {
    conversionId: touch.clickId,
    timestamp: 0,
    type: '',
    valueMicros: 0n,
    credits: [],
    isCounted: true,
    models: [],
  };
  return encodeUser({
    touches: age.click === undefined ? [] : [{ ...touch, arrival: now - age.click * HOUR_MS }],
    conversions: age.conversion === undefined ? [] : [{ ...conversion, arrival: now - age.conversion * HOUR_MS }],
    hasOverflow: false,
  });
}

test('finds users of whom the fold would keep nothing but ids, and nothing else', () => {
  const store = memoryStateStore();
  store.write({
    puts: [
      { key: userKey('fresh click'), value: userSeen({ click: 48 }) },
      { key: userKey('old click'), value: userSeen({ click: 49 }) },
      { key: userKey('old click, conversion known'), value: userSeen({ click: 49, conversion: 120 * 24 }) },
      { key: userKey('all old'), value: userSeen({ click: 49, conversion: 120 * 24 + 1 }) },
      { key: spilledKeyOf('u', 'touch'), value: Buffer.of() },
      { key: counterKey(undefined, 1, ['name']), value: Buffer.of() },
      { key: PROGRESS_KEY, value: Buffer.of() },
    ],
    deletes: [],
    appends: [],
  });
  const expired = newSweep(config).next(store, now);
  expect(expired).toEqual([userKey('all old'), userKey('old click')]);
});

test('finds what says where an event lies as late as the event', () => {
  const store = memoryStateStore();
  const [kept, gone] = [1, 2].map((n) => putId(placeKeyOf('u', 'touch'), Int32Array.of(0, 0, 0, n), 0));
  const place = (days: number) => storedId({ arrival: now - days * 24 * HOUR_MS, digest: 1 }, 0);
  const puts = [
    { key: kept!, value: place(122) },
    { key: gone!, value: place(123) },
  ];
  store.write({ puts, deletes: [], appends: [] });
  expect(newSweep(config).next(store, now)).toEqual([gone]);
});

test('goes through all keys in slices, then rests for an hour of the partition', () => {
  const store = memoryStateStore();
  const keys = Array.from({ length: 450 }, (_, i) => userKey(`user ${String(i).padStart(3, '0')}`));
  store.write({ puts: keys.map((key) => ({ key, value: userSeen({ click: 49 }) })), deletes: [], appends: [] });
  const sweep = newSweep(config);
  const slices = [sweep.next(store, now), sweep.next(store, now), sweep.next(store, now)];
  expect(slices.map((slice) => slice.length)).toEqual([200, 200, 50]);
  expect(slices.flat()).toEqual(keys);
  expect(sweep.next(store, now + HOUR_MS - 1)).toEqual([]);
  expect(sweep.next(store, now + HOUR_MS)).toHaveLength(200);
});
