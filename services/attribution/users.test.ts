import { expect, test } from 'vitest';
import { memoryStateStore } from '../../test/fixtures/memory-state-store.ts';
import { HOUR_MS } from '../shared/limits.ts';
import { attributionConfig, parseAttributionEnvironment } from './config.ts';
import type { FoldEvent } from './fold.ts';
import { userKey } from './keys.ts';
import { decodeUser, settle } from './state-codec.ts';
import { storeTouch } from './touch.ts';
import { newUsers } from './users.ts';

const config = attributionConfig(parseAttributionEnvironment({}));

function click(hour: number): FoldEvent {
  const clickId = `00000000-0000-4000-8000-${String(hour).padStart(12, '0')}`;
  const [timestamp, arrival] = [hour * HOUR_MS, hour * HOUR_MS];
  const touch = storeTouch({ clickId, timestamp, arrival, adId: 'ad', campaignId: 'c', source: 's' });
  return { kind: 'click', userId: 'ann', offset: hour, touch };
}

function start() {
  const store = memoryStateStore();
  const users = newUsers(config, () => Number.POSITIVE_INFINITY);
  return {
    click: (hour: number) => users.fold(store, [click(hour)]),
    flush(...expired: Buffer[]) {
      const changes = users.takeChanges(expired);
      store.write(changes);
      return changes;
    },
    storedHours() {
      const [bytes] = store.getMany([userKey('ann')]);
      return bytes && decodeUser(settle(bytes)).touches.map(({ timestamp }) => timestamp / HOUR_MS);
    },
  };
}

test('of a user that the store has, only what is new is written', () => {
  const { click, flush, storedHours } = start();
  click(1);
  expect(flush()).toMatchObject({ puts: [{ key: userKey('ann') }], appends: [] });
  click(2);
  click(3);
  const { puts, appends } = flush();
  expect(puts).toEqual([]);
  expect(appends.map(({ value }) => value.length)).toEqual([2 * (38 + 'adcs'.length)]);
  expect(storedHours()).toEqual([1, 2, 3]);
});

test('a user that was deleted as expired and comes back is written whole', () => {
  const { click, flush, storedHours } = start();
  click(1);
  flush();
  expect(flush(userKey('ann')).deletes).toEqual([userKey('ann')]);
  expect(storedHours()).toBeUndefined();
  click(60);
  flush();
  expect(storedHours()).toEqual([60]);
});

test('a user that came back before it could be deleted stays', () => {
  const { click, flush, storedHours } = start();
  click(1);
  flush();
  click(40);
  expect(flush(userKey('ann')).deletes).toEqual([]);
  expect(storedHours()).toEqual([1, 40]);
});
