import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { AttributionSettingSchema, RollupStatsSchema } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { memoryStateStore } from '../../../test/fixtures/memory-state-store.ts';
import { reportDays } from '../../contract/report-days.ts';
import { attributionConfig, parseAttributionEnvironment } from '../decision/config.ts';
import { counterKey } from '../store/counter-keys.ts';
import { SETTINGS_FROM, SETTINGS_TO } from '../store/keys.ts';
import { entriesBetween, type StateStore } from '../store/state-store.ts';
import { Settings } from './settings.ts';

const PARTITION = 3;
const ROLLUP = 'hour:campaign_id';

/** Begins to fold, and tells what is published: kind, name, since, until and version of each. */
function begin(store: StateStore, env: Record<string, string>, clock: number | undefined, version: number): string[] {
  const config = attributionConfig(parseAttributionEnvironment({ ROLLUPS: '', LOOKBACK_HOURS: '1', ...env }));
  const settings = new Settings(config, reportDays(config.timeZone));
  settings.begin(store, PARTITION, clock === undefined ? undefined : BigInt(clock), version);
  const published = settings.takeUnpublished();
  expect(settings.takeUnpublished()).toEqual([]);
  store.write({ deletes: [], puts: settings.takeDirty(), appends: [] });
  expect(published.every(({ partition }) => partition === PARTITION)).toBe(true);
  return published.map(({ kind, name, value, since, until, version }) =>
    [kind, name, value, since, until, `@${version}`].join(' ').replaceAll(/ +/g, ' '),
  );
}

test('what a partition begins with holds from its first record on, and what changes from then on', () => {
  const store = memoryStateStore();
  const first = { MODELS: 'last_click', ROLLUPS: ROLLUP };
  const begun = [
    'time_zone UTC 0 0 0 @0',
    'model last_click 0 0 @0',
    `rollup ${ROLLUP} 0 0 @0`,
    'lookback 3600000 0 0 @0',
  ];
  expect(begin(store, first, undefined, 0)).toEqual(begun);
  // It is published again, as the node before may have ended before that.
  expect(begin(store, first, 500, 50).sort()).toEqual(begun.toSorted());
  expect(begin(store, { MODELS: 'last_click,linear', LOOKBACK_HOURS: '2' }, 700, 70).sort()).toEqual([
    'lookback 7200000 700 0 @70',
    'model last_click 0 0 @0',
    'model linear 700 0 @70',
    `rollup ${ROLLUP} 0 700 @70`,
    'time_zone UTC 0 0 0 @0',
  ]);
  expect(begin(store, { MODELS: 'linear', LOOKBACK_HOURS: '2', ROLLUPS: ROLLUP }, 900, 90).sort()).toEqual([
    'lookback 7200000 700 0 @70',
    'model last_click 0 900 @90',
    'model linear 700 0 @70',
    `rollup ${ROLLUP} 900 0 @90`,
    'time_zone UTC 0 0 0 @0',
  ]);
});

test('a model that a build before has counted was always counted, a rollup that it did not have was not', () => {
  const store = memoryStateStore();
  const counter = create(RollupStatsSchema, { models: [{ model: 'last_click', conversionsMicros: 1n }] });
  const value = Buffer.from(toBinary(RollupStatsSchema, counter));
  store.write({ deletes: [], puts: [{ key: counterKey(undefined, 1, ['c', 's', 't']), value }], appends: [] });
  expect(begin(store, { MODELS: 'last_click,linear', ROLLUPS: ROLLUP }, 700, 70)).toEqual([
    'time_zone UTC 0 0 0 @70',
    'model last_click 0 0 @70',
    'model linear 700 0 @70',
    `rollup ${ROLLUP} 700 0 @70`,
    'lookback 3600000 0 0 @70',
  ]);
});

test('R-4: of what a node had published of them when it ended, the others are noted as they were', () => {
  const whole = memoryStateStore();
  const all = begin(whole, {}, 700, 70).sort();
  const entries = [...entriesBetween(whole, SETTINGS_FROM, SETTINGS_TO)];
  for (const published of [entries, entries.toReversed()]) {
    for (let i = 0; i <= published.length; i++) {
      const rebuilt = memoryStateStore();
      rebuilt.write({ deletes: [], puts: published.slice(0, i), appends: [] });
      expect(begin(rebuilt, {}, 700, 70).sort()).toEqual(all);
    }
  }
});

test('a later call changes nothing', () => {
  const store = memoryStateStore();
  const config = attributionConfig(parseAttributionEnvironment({ MODELS: 'linear' }));
  const settings = new Settings(config, reportDays('UTC'));
  settings.begin(store, PARTITION, undefined, 1);
  settings.begin(store, PARTITION, 700n, 7);
  const versions = settings.takeDirty().map(({ value }) => fromBinary(AttributionSettingSchema, value).version);
  expect(new Set(versions)).toEqual(new Set([1n]));
});
