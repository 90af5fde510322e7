import { expect, test } from 'vitest';
import { countedOf } from '../../../test/fixtures/credits.ts';
import { memoryStateStore } from '../../../test/fixtures/memory-state-store.ts';
import { HOUR_MS } from '../../contract/limits.ts';
import { reportDays } from '../../contract/report-days.ts';
import { parseRollups } from '../../contract/rollups.ts';
import { TouchTexts } from '../memory/touch-memory.ts';
import { counterKey, ROLLUPS_FROM } from '../store/counter-keys.ts';
import type { StateStore } from '../store/state-store.ts';
import { Counters } from './counters.ts';

const PARTITION = 3;
const BY_HOUR = 'hour:campaign_id';
const BY_AD = 'day:campaign_id,ad_id';
const keyOf = (...key: Parameters<typeof counterKey>) => counterKey(...key).toString('hex');

/** The keys that are read while a click of each campaign is added, each an hour later, after which all is forgotten. */
function readsOf(store: StateStore, counters: Counters, campaigns: readonly string[], offset: number): string[] {
  const keys: string[] = [];
  const getMany = (asked: readonly Buffer[]) => {
    keys.push(...asked.map((key) => key.toString('hex')));
    return store.getMany(asked);
  };
  const texts = new TouchTexts();
  // Numbers are others than before.
  for (let i = 0; i < offset; i++) texts.campaignSourceNamed(`other ${i}`, '');
  for (const [i, campaign] of campaigns.entries()) {
    counters.addClick(texts.campaignSourceNamed(campaign, 's'), 0, i * HOUR_MS, offset + i);
  }
  counters.add({ ...store, getMany }, texts, countedOf([]));
  counters.takeChanged();
  store.write({ deletes: [], puts: counters.takeDirty(), appends: [] });
  counters.forgetIfFull();
  return keys;
}

test('counters that the store can not have are not read, and those that it was given are, under other texts, too', () => {
  const store = memoryStateStore();
  const first = new Counters(PARTITION, parseRollups('hour:campaign_id'), reportDays('UTC'), () => 0);
  expect(readsOf(store, first, ['a', 'b', 'c'], 1)).toEqual([]);
  expect(readsOf(store, first, ['d', 'b', 'e'], 4)).toEqual([
    keyOf(undefined, 0, ['b', 's', '']),
    keyOf(BY_HOUR, 1, ['b']),
  ]);
  // Of what was there before only periods are known.
  const second = new Counters(
    PARTITION,
    parseRollups('hour:campaign_id; day:campaign_id,ad_id'),
    reportDays('UTC'),
    () => 0,
  );
  expect(readsOf(store, second, ['f'], 7)).toEqual([keyOf(undefined, 0, ['f', 's', '']), keyOf(BY_HOUR, 0, ['f'])]);
  expect(readsOf(store, second, ['f', 'f', 'f', 'f'], 8).slice(-2)).toEqual([
    keyOf(BY_HOUR, 2, ['f']),
    keyOf(BY_AD, 0, ['f', '']),
  ]);
});

test('of periods before the newest thousand, counters are read unless many come at once and there are none', () => {
  const store = memoryStateStore();
  const hours = 1001;
  const rollups = parseRollups('hour:campaign_id');
  readsOf(store, new Counters(PARTITION, rollups, reportDays('UTC'), () => 0), Array<string>(hours).fill('a'), 1);
  const after = new Counters(PARTITION, rollups, reportDays('UTC'), () => 0);
  const texts = new TouchTexts();
  const asked: string[] = [];
  const spied = {
    ...store,
    getMany(keys: readonly Buffer[]) {
      asked.push(...keys.filter((key) => key[0] === ROLLUPS_FROM[0]).map((key) => key.toString('hex')));
      return store.getMany(keys);
    },
  };
  const click = (campaign: string, hour: number) =>
    after.addClick(texts.campaignSourceNamed(campaign, ''), 0, hour * HOUR_MS, hours + 1);
  click('few', -1);
  click('a', 0);
  click('b', hours);
  for (let i = 0; i < 16; i++) click(`many ${i}`, -2);
  after.add(spied, texts, countedOf([]));
  expect(asked).toEqual([keyOf(BY_HOUR, -1, ['few']), keyOf(BY_HOUR, 0, ['a'])]);
});
