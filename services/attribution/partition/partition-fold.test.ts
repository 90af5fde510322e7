import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import {
  DailyStatsSchema,
  PartitionProgressSchema,
  RollupStatsSchema,
} from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { logRecord } from '../../../test/fixtures/log-record.ts';
import { memoryStateStore } from '../../../test/fixtures/memory-state-store.ts';
import { decodeUser, encodeUser } from '../../../test/fixtures/user-bytes.ts';
import { COMPACTED } from '../../contract/topics.ts';
import type { LogRecord } from '../../log/event-log.ts';
import { attributionConfig, parseAttributionEnvironment } from '../decision/config.ts';
import { MODELS } from '../decision/models.ts';
import { APART } from '../store/counter-keys.ts';
import { userKey } from '../store/keys.ts';
import { loadProgress } from '../store/progress.ts';
import { MOST_UNFINISHED } from '../users/unfinished-user.ts';
import { newPartitionFold } from './partition-fold.ts';

const config = attributionConfig(parseAttributionEnvironment({}));

/** Records that can't be read: their fold is a dead letter each. */
function poison(from: number, to: number) {
  return Array.from({ length: to - from }, (_, i) => logRecord({ offset: from + i, value: Buffer.of(255) }));
}

test('what is published may be taken some at a time, the totals last', () => {
  const begin = () => {
    const fold = newPartitionFold(config, create(PartitionProgressSchema));
    fold.fold(
      memoryStateStore(),
      Array.from({ length: 10 }, (_, i) => click(i, 'ann')),
    );
    return fold;
  };
  const whole = begin().takeTotals();
  for (const most of [1, 7, whole.length - 1, whole.length]) {
    const fold = begin();
    const parts = [fold.takeTotals(true, most)];
    while (parts.at(-1)!.length >= most) parts.push(fold.takeTotals(true, most));
    expect(parts.flat()).toEqual(whole);
    // What counters mean is not taken apart.
    expect(parts.slice(1).every(({ length }) => length <= most + 1)).toBe(true);
  }
  expect(whole.at(-1)!.topic).toBe('attribution-progress');
});

test('R-2: a batch across the end of the published totals is refused, one on either side of it is folded', () => {
  const totals = create(PartitionProgressSchema, { records: 6n, deadLettered: 6n, version: 5n });
  const begin = () =>
    newPartitionFold(config, create(PartitionProgressSchema), { publishedTotals: { countFrom: 0, totals } });
  const store = memoryStateStore();
  expect(() => begin().fold(store, poison(4, 8))).toThrow('R-2');

  const fold = begin();
  const taken = () => [...new Set(fold.takeTotals(false).map(({ topic }) => topic))];
  fold.fold(store, poison(0, 3));
  fold.fold(store, poison(3, 6));
  expect([fold.progress.records, taken()]).toEqual([6n, ['attribution-settings']]);
  fold.fold(store, poison(6, 8));
  expect([fold.progress.records, taken()]).toEqual([8n, ['attribution-progress']]);
});

test('a rebuilt state takes from the totals no more than they have', () => {
  // The log has lost the click that the verdict was about, which is sent again.
  const totals = create(PartitionProgressSchema, { records: 2n, clicks: 1n, verdicts: 1n, version: 1n });
  const fold = newPartitionFold(config, create(PartitionProgressSchema), { publishedTotals: { countFrom: 2, totals } });
  const of = { userId: 'ann', timestamp: BigInt(START) };
  const events = [
    { case: 'verdict', value: { ...of, eventId: eventId(2), clickId: eventId(1), valid: true } },
    { case: 'click', value: { ...of, eventId: eventId(1), adId: 'ad', campaignId: 'camp', source: 'src' } },
  ] as const;
  events.forEach((event, i) => {
    const value = toBinary(EventSchema, create(EventSchema, { event }));
    fold.fold(memoryStateStore(), [logRecord({ offset: 1 + i, key: 'ann', value, appendTime: START })]);
    fold.takeTotals();
  });
  expect(fold.progress).toMatchObject({ records: 3n, clicks: 2n, verdicts: 1n, waiting: 0n });
});

const START = Date.UTC(2026, 0, 1);

function eventId(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
}

function click(offset: number, userId: string, time = START + offset) {
  const [timestamp, eventId_] = [BigInt(time), eventId(offset)];
  const ids = { eventId: eventId_, userId, adId: `ad-${offset}`, campaignId: `c-${offset}`, source: `s-${offset}` };
  const event = create(EventSchema, { event: { case: 'click', value: { ...ids, timestamp } } });
  return logRecord({ offset, appendTime: START + offset, value: toBinary(EventSchema, event) });
}

function verdict(offset: number, userId: string, clickId: string, valid: boolean) {
  const timestamp = BigInt(START + offset);
  const event = create(EventSchema, {
    event: { case: 'verdict', value: { eventId: eventId(offset), userId, clickId, valid, timestamp } },
  });
  return logRecord({ offset, appendTime: START + offset, value: toBinary(EventSchema, event) });
}

function conversion(offset: number, userId: string) {
  const value = { eventId: eventId(offset), userId, type: `t-${offset}`, source: 's', valueMicros: 7n };
  const timestamp = BigInt(START + offset);
  const event = create(EventSchema, { event: { case: 'conversion', value: { ...value, timestamp } } });
  return logRecord({ offset, appendTime: START + offset, value: toBinary(EventSchema, event) });
}

interface Folding {
  atOnce: number;
  cacheBytes: number;
  env?: NodeJS.ProcessEnv;
  partBytes?: number;
}

/** Folds records and flushes them, as often as it takes, and returns how often it took and all that is published. */
function foldAll(records: readonly LogRecord[], { atOnce, cacheBytes, env, partBytes }: Folding) {
  const store = memoryStateStore();
  const models = Object.keys(MODELS).join(',');
  const whole = attributionConfig(parseAttributionEnvironment({ MODELS: models, ...env }));
  const fold = newPartitionFold(
    { ...whole, partBytes: partBytes ?? whole.partBytes },
    create(PartitionProgressSchema),
    { cacheBytes: () => cacheBytes },
  );
  const published = new Map<string, string>();
  /** How many records followed from each part of events that were folded in parts. */
  const parts: number[] = [];
  let folds = 0;
  for (let next = 0; next < records.length; folds++) {
    const outputs = fold.fold(store, records.slice(next, next + atOnce));
    while (fold.unfinished !== undefined) {
      expect(() => fold.takeTotals()).toThrow('R-20');
      expect(() => fold.fold(store, records.slice(-1))).toThrow('R-20');
      const part = fold.goOn(store);
      parts.push(part.length);
      outputs.push(...part);
    }
    outputs.push(...fold.takeTotals());
    for (const { topic, key, value } of outputs) {
      const bytes = Buffer.from(value).toString('hex');
      // Counters and totals are cumulative: the last one counts.
      const isCumulative = COMPACTED.includes(topic);
      published.set(`${topic} ${isCumulative ? key : bytes}`, bytes);
    }
    fold.flush(store, []);
    next = Number(fold.progress.version) + 1;
  }
  return { folds, parts, published, progress: fold.progress };
}

test('R-4: a batch takes no more users than its memory has room for, and the others are folded next', () => {
  const users = Array.from({ length: 200 }, (_, i) => `user-${i}`);
  const clicks = users.map((user, i) => click(i, user));
  const more = users.map((user, i) => (i % 7 === 3 ? poison(200 + i, 201 + i)[0]! : click(200 + i, user)));
  const conversions = users.map((user, i) => conversion(400 + i, user));
  const records = [...clicks, ...more, ...conversions];
  const { folds, ...several } = foldAll(records, { atOnce: 200, cacheBytes: 0 });
  expect(folds).toBeGreaterThan(5);
  const { folds: _, ...single } = foldAll(records, { atOnce: 1, cacheBytes: Number.POSITIVE_INFINITY });
  expect(several).toEqual(single);
});

test('a click keeps what it had of metadata when it came, whatever rollups are by since', () => {
  const store = memoryStateStore();
  const at = { userId: 'ann', source: 'src', timestamp: BigInt(START) };
  const events = [
    { case: 'click', value: { ...at, eventId: eventId(0), adId: 'ad', campaignId: 'c', metadata: { geo: 'DE' } } },
    ...[1, 2].map((n) => ({ case: 'conversion', value: { ...at, eventId: eventId(n), type: 'buy' } }) as const),
  ] as const;
  const rollups = ['day:metadata.geo', 'day:ad_id; day:metadata.os', 'day:ad_id,metadata.geo'];
  const counted = rollups.map((ROLLUPS, offset) => {
    const fold = newPartitionFold(
      attributionConfig(parseAttributionEnvironment({ MODELS: 'last_click', ROLLUPS })),
      loadProgress(store, 0),
    );
    const value = toBinary(EventSchema, create(EventSchema, { event: events[offset]! }));
    fold.fold(store, [logRecord({ offset, value, appendTime: START })]);
    const outputs = fold.takeTotals().filter(({ topic }) => topic === 'rollup-stats');
    fold.flush(store, []);
    return outputs.map(({ value }) => fromBinary(RollupStatsSchema, value).values);
  });
  expect(counted).toEqual([[['DE']], [['ad'], ['']], [['ad', 'DE']]]);
});

test('R-4: a batch takes no more events than its memory has room for what follows from them', () => {
  const clicks = Array.from({ length: 64 }, (_, i) => click(i, 'hot'));
  const conversions = Array.from({ length: 30 }, (_, i) => conversion(64 + i, 'hot'));
  const records = [...clicks, ...conversions, click(94, 'hot')];
  const { folds, ...several } = foldAll(records, { atOnce: 1000, cacheBytes: 1 << 20 });
  expect(folds).toBeGreaterThan(4);
  const { folds: _, ...single } = foldAll(records, { atOnce: 1, cacheBytes: Number.POSITIVE_INFINITY });
  expect(several).toEqual(single);
});

test('R-20: what decides very many conversions anew is folded in parts, as if it were folded whole', () => {
  const conversions = Array.from({ length: 60 }, (_, i) => conversion(2 + i, 'hot'));
  const late = click(63, 'hot', START + 1);
  const verdicts = [false, true].map((valid, i) => verdict(64 + i, 'hot', eventId(63), valid));
  const records = [click(0, 'ann'), click(1, 'hot', START), ...conversions, click(62, 'ann'), late, ...verdicts];
  for (const MAX_TOUCHES of ['1', '7', '1024']) {
    const of = { atOnce: 1, cacheBytes: Number.POSITIVE_INFINITY, env: { MAX_TOUCHES } };
    const { parts, ...inParts } = foldAll(records, { ...of, partBytes: 20_000 });
    expect(parts.length).toBeGreaterThan(3 * 5);
    // About ten conversions, each with its decision and what touches have of it.
    expect(Math.max(...parts)).toBeLessThan(30);
    const { parts: none, ...whole } = foldAll(records, { ...of, partBytes: Number.POSITIVE_INFINITY });
    expect(none).toEqual([]);
    expect(inParts).toEqual(whole);
  }
});

test('R-21: a record that was noted counts apart, though it is not folded in parts, and one that was not does not, though it is', () => {
  const conversions = Array.from({ length: 10 }, (_, i) => conversion(2 + i, 'hot'));
  const late = 12;
  const records = [click(0, 'hot', START), ...conversions, click(late, 'hot', START + 1), click(late + 1, 'ann')];
  const countersOf = (partBytes: number, isNoted: boolean) => {
    const store = memoryStateStore();
    const apart = { size: 1, has: (offset: number) => isNoted && offset === late, begin: () => false };
    const fold = newPartitionFold({ ...config, partBytes }, create(PartitionProgressSchema), { apart });
    for (const record of records) {
      fold.fold(store, [record]);
      // Others need not wait for what counts apart.
      if (!isNoted && fold.unfinished !== undefined) expect(fold.mustGoOn).toBe(true);
      while (fold.mustGoOn) fold.goOn(store);
    }
    const isInParts = fold.unfinished !== undefined;
    while (fold.unfinished !== undefined) fold.goOn(store);
    const newest = new Map<string, [partition: number, version: number, micros: number]>();
    for (const { topic, key, value } of fold.takeTotals()) {
      if (topic !== 'daily-stats') continue;
      const { partition, version, models } = fromBinary(DailyStatsSchema, value);
      const micros = models.find(({ model }) => model === 'last_click')?.conversionsMicros ?? 0n;
      newest.set(key, [partition, Number(version), Number(micros)]);
    }
    const all = [...newest.values()];
    const ofApart = all.filter(([partition]) => partition === APART);
    return { isInParts, sum: all.reduce((sum, [, , micros]) => sum + micros, 0), ofApart };
  };
  for (const partBytes of [1500, Number.POSITIVE_INFINITY]) {
    const { isInParts, sum, ofApart } = countersOf(partBytes, true);
    expect([isInParts, sum]).toEqual([partBytes === 1500, 10_000_000]);
    // Each conversion has a type of its own: what the first click loses, and what the late one gets.
    expect(ofApart.length).toBe(2 * conversions.length);
    expect(new Set(ofApart.map(([, version]) => version))).toEqual(new Set([late]));
    expect(countersOf(partBytes, false)).toEqual({ isInParts: false, sum: 10_000_000, ofApart: [] });
  }
});

const ALL_APART = { size: 1, has: () => true, begin: () => true };

test('R-20: of too many records that are folded in part, one is done before any other is folded', () => {
  const users = Array.from({ length: MOST_UNFINISHED + 1 }, (_, i) => `user-${i}`);
  const store = memoryStateStore();
  const fold = newPartitionFold({ ...config, partBytes: 1500 }, create(PartitionProgressSchema), { apart: ALL_APART });
  fold.fold(
    store,
    users.flatMap((user, i) => [0, 1, 2].map((n) => conversion(3 * i + n, user))),
  );
  const late = users.map((user, i) => click(3 * users.length + i, user, START));
  for (const record of late.slice(0, MOST_UNFINISHED)) {
    expect(fold.mustGoOn).toBe(false);
    fold.fold(store, [record]);
  }
  expect([fold.mustGoOn, fold.unfinished]).toEqual([true, late[0]!.offset]);
  expect(() => fold.fold(store, late.slice(-1))).toThrow('R-20');
  while (fold.mustGoOn) fold.goOn(store);
  expect(fold.unfinished).toBe(late[1]!.offset);
  fold.fold(store, late.slice(-1));
  expect(() => fold.flush(store, [])).toThrow('R-20');
  while (fold.unfinished !== undefined) fold.goOn(store);
  expect(fold.progress).toMatchObject({ attributed: BigInt(3 * users.length), unattributed: 0n });
  fold.flush(store, []);
});

test('R-20: nothing else is folded until what a build before decided is decided anew, which the state has then', () => {
  const conversions = Array.from({ length: 9 }, (_, i) => ({
    ...{ conversionId: eventId(i), timestamp: START + 1 + i, arrival: START + 1 + i, type: 'buy', valueMicros: 5n },
    ...{ models: ['last_click'], credits: [], isCounted: true },
  }));
  const store = memoryStateStore();
  const puts = [{ key: userKey('hot'), value: encodeUser({ conversions }) }];
  store.write({ deletes: [], puts, appends: [] });
  const fold = newPartitionFold({ ...config, partBytes: 1500 }, create(PartitionProgressSchema), { apart: ALL_APART });
  fold.fold(store, [click(10, 'hot', START)]);
  let parts = 0;
  for (; fold.unfinished !== undefined; parts++) {
    expect(fold.mustGoOn).toBe(true);
    fold.goOn(store);
  }
  expect(parts).toBeGreaterThan(4);
  fold.flush(store, []);
  const { conversions: stored } = decodeUser(store.getMany([userKey('hot')])[0]!);
  expect(stored.map(({ credits }) => credits[0]!.touch.clickId)).toEqual(conversions.map(() => eventId(10)));
});
