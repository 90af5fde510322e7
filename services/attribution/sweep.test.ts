import { expect, test } from 'vitest';
import { memoryStateStore } from '../../test/fixtures/memory-state-store.ts';
import { HOUR_MS } from '../shared/limits.ts';
import { attributionConfig, parseAttributionEnvironment } from './config.ts';
import { counterKey, PROGRESS_KEY, seenKey, userKey } from './keys.ts';
import { encodeUser } from './state-codec.ts';
import { newSweep } from './sweep.ts';
import { encodeArrival } from './users.ts';

const config = attributionConfig(parseAttributionEnvironment({}));
const now = 1000 * HOUR_MS;

function userSeen(age: { click?: number; conversion?: number }) {
  const touch = { clickId: '00000000-0000-4000-8000-000000000001', timestamp: 0, adId: '', campaignId: '', source: '' };
  const conversion = { conversionId: touch.clickId, timestamp: 0, type: '', valueMicros: 0n, credits: [] };
  return encodeUser({
    touches: age.click === undefined ? [] : [{ ...touch, arrival: now - age.click * HOUR_MS }],
    conversions: age.conversion === undefined ? [] : [{ ...conversion, arrival: now - age.conversion * HOUR_MS }],
    overflowed: false,
  });
}

test('finds what the fold no longer looks at, and nothing else', () => {
  const store = memoryStateStore();
  const seen = (kind: 'click' | 'conversion', eventId: string) => seenKey({ userId: 'u', kind, eventId });
  const arrival = (hours: number) => encodeArrival(now - hours * HOUR_MS);
  store.write({
    puts: [
      { key: userKey('fresh click'), value: userSeen({ click: 48 }) },
      { key: userKey('old click'), value: userSeen({ click: 49 }) },
      { key: userKey('old click, conversion known'), value: userSeen({ click: 49, conversion: 168 }) },
      { key: userKey('all old'), value: userSeen({ click: 49, conversion: 169 }) },
      { key: seen('click', 'fresh'), value: arrival(48) },
      { key: seen('click', 'old'), value: arrival(49) },
      { key: seen('conversion', 'fresh'), value: arrival(168) },
      { key: seen('conversion', 'old'), value: arrival(169) },
      { key: counterKey('name'), value: Buffer.of() },
      { key: PROGRESS_KEY, value: Buffer.of() },
    ],
    deletes: [],
    appends: [],
  });
  const expired = newSweep(config).next(store, now);
  expect(expired).toEqual([seen('click', 'old'), seen('conversion', 'old'), userKey('all old'), userKey('old click')]);
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
