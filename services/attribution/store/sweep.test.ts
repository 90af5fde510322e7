import { expect, test } from 'vitest';
import { memoryStateStore } from '../../../test/fixtures/memory-state-store.ts';
import { encodeUser } from '../../../test/fixtures/user-bytes.ts';
import { DAY_MS, HOUR_MS } from '../../contract/limits.ts';
import { attributionConfig, parseAttributionEnvironment } from '../decision/config.ts';
import type { Role } from '../decision/kinds.ts';
import { counterKey, PROGRESS_KEY, spilledKey, userKey } from './keys.ts';
import { isExpired, newSweep } from './sweep.ts';

const config = attributionConfig(parseAttributionEnvironment({}));
const now = 1000 * HOUR_MS;
const today = Math.floor(now / DAY_MS);

function userSeen(age: { click?: number; conversion?: number }) {
  const touch = { clickId: '00000000-0000-4000-8000-000000000001', timestamp: 0, adId: '', campaignId: '', source: '' };
  const conversion = { conversionId: touch.clickId, timestamp: 0, type: '', valueMicros: 0n, credits: [] };
  return encodeUser({
    touches: age.click === undefined ? [] : [{ ...touch, arrival: now - age.click * HOUR_MS }],
    conversions: age.conversion === undefined ? [] : [{ ...conversion, arrival: now - age.conversion * HOUR_MS }],
    hasSpilled: false,
  });
}

test('finds what the fold no longer looks at, and nothing else', () => {
  const store = memoryStateStore();
  const spilled = (role: Role, daysAgo: number) => spilledKey({ userId: 'u', role, day: today - daysAgo, bucket: 1 });
  store.write({
    puts: [
      { key: userKey('fresh click'), value: userSeen({ click: 48 }) },
      { key: userKey('old click'), value: userSeen({ click: 49 }) },
      { key: userKey('old click, conversion known'), value: userSeen({ click: 49, conversion: 168 }) },
      { key: userKey('all old'), value: userSeen({ click: 49, conversion: 169 }) },
      // 16 hours of the day are over: so much longer ago than its end is the one of a day that is so many days back.
      { key: spilled('touch', 2), value: Buffer.of() },
      { key: spilled('touch', 3), value: Buffer.of() },
      { key: spilled('outcome', 7), value: Buffer.of() },
      { key: spilled('outcome', 8), value: Buffer.of() },
      { key: counterKey('name'), value: Buffer.of() },
      { key: PROGRESS_KEY, value: Buffer.of() },
    ],
    deletes: [],
    appends: [],
  });
  const expired = newSweep(config).next(store, now);
  expect(expired).toEqual([spilled('touch', 3), spilled('outcome', 8), userKey('all old'), userKey('old click')]);
});

test('a day of spilled ids is forgotten when the last that could have arrived on it is too old', () => {
  const entry = { key: spilledKey({ userId: 'u', role: 'touch', day: today, bucket: 1 }), value: Buffer.of() };
  const lastArrival = (today + 1) * DAY_MS - 1;
  expect(isExpired(config, entry, lastArrival + 48 * HOUR_MS)).toBe(false);
  expect(isExpired(config, entry, lastArrival + 48 * HOUR_MS + 1)).toBe(true);
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
