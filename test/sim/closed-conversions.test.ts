import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { EventSchema } from '../../gen/ts/clickmesh/v1/event_pb.js';
import { attributionConfig, parseAttributionEnvironment } from '../../services/attribution/decision/config.ts';
import { newPartitionFold } from '../../services/attribution/partition/partition-fold.ts';
import { COUNTERS_FROM } from '../../services/attribution/store/counter-keys.ts';
import { loadProgress } from '../../services/attribution/store/progress.ts';
import { rocksdbStateStores } from '../../services/attribution/store/rocksdb-state-store.ts';
import type { StateEntry, StateStore } from '../../services/attribution/store/state-store.ts';
import { newSweep } from '../../services/attribution/store/sweep.ts';
import { LAST_CLOSED_BYTES } from '../../services/attribution/store/user-format.ts';
import { DAY_MS, HOUR_MS } from '../../services/contract/limits.ts';
import type { LogRecord } from '../../services/log/event-log.ts';
import { eventId } from '../bench/drain-load.ts';
import { logRecord } from '../fixtures/log-record.ts';
import { memoryStateStore } from '../fixtures/memory-state-store.ts';
import { temporaryFolder } from '../fixtures/mesh-process.ts';

const USERS = 5000;
/** Most bytes on disk of a conversion that no click that comes can be credited with, but corrections can change. */
const MOST_BYTES = 200;
const START = Date.UTC(2026, 0, 5);

// A few are in their user's state, many beside it.
const KINDS = [
  { of: 'of a user with one', users: USERS, each: 1 },
  { of: 'of a user with fifty', users: USERS / 50, each: 50 },
];

test.each(KINDS)(
  `a closed conversion under five models, with its click, takes at most ${MOST_BYTES} bytes on disk: $of`,
  async ({ users, each }) => {
    using folder = temporaryFolder();
    const store = await rocksdbStateStores(folder.path).open(0);
    // The rollups are of all partitions and days, and no matter of conversions.
    const config = attributionConfig(parseAttributionEnvironment({ ROLLUPS: '' }));
    const sweep = newSweep(config);
    let offset = 0;
    const foldOn = (events: (i: number) => LogRecord['value'], now: number) => {
      const fold = newPartitionFold(config, loadProgress(store, 0));
      const records = Array.from({ length: users }, (_, i) =>
        logRecord({ offset: offset++, value: events(i), appendTime: now }),
      );
      for (let rest = records; rest.length > 0; ) {
        fold.fold(store, rest);
        rest = rest.filter((record) => record.offset > Number(fold.progress.version));
      }
      for (let expired = sweep.next(store, now); ; expired = sweep.next(store, now)) {
        fold.flush(store, expired);
        if (expired.length === 0) break;
      }
    };
    for (let n = 0; n < each; n++) {
      const [time, id] = [START + n * HOUR_MS, (i: number) => n * users + i];
      foldOn((i) => event('click', id(i), time, i), time);
      foldOn((i) => event('conversion', id(i), time + 1000, i), time + 1000);
    }
    // Those of whom much is closed come by, and others go on, until the ids of before are forgotten.
    const [later, last] = [START + 10 * DAY_MS, START + 50 * DAY_MS];
    if (each > 1) foldOn((i) => event('click', USERS + i, later, i), later);
    foldOn(() => event('click', 2 * USERS, last, users), last);
    await store.close();
    // Opened and closed, it writes what lay in its log.
    await (await rocksdbStateStores(folder.path).open(0)).close();
    const files = readdirSync(join(folder.path, '0')).filter((name) => name.endsWith('.sst'));
    const bytes = files.reduce((sum, name) => sum + statSync(join(folder.path, '0', name)).size, 0);
    expect(bytes / USERS).toBeGreaterThan(100);
    expect(bytes / USERS).toBeLessThanOrEqual(MOST_BYTES);
  },
);

test('whoever has a thousand closed conversions is opened like one without', () => {
  const config = attributionConfig(parseAttributionEnvironment({ ROLLUPS: '' }));
  const stored = memoryStateStore();
  const read = { keys: 0, bytes: 0 };
  const note = <T extends StateEntry | Buffer | undefined>(key: Buffer | undefined, found: T[]) => {
    // What else is read is of counters.
    if (key === undefined || key[0] === COUNTERS_FROM[0]) return found;
    read.keys += found.length;
    for (const each of found) read.bytes += Buffer.isBuffer(each) ? each.length : (each?.value.length ?? 0);
    return found;
  };
  const store: StateStore = {
    ...stored,
    getMany: (keys) => note(keys[0], stored.getMany(keys)),
    scan: (from, to, limit) => note(from, stored.scan(from, to, limit)),
    scanBack: (from, to, limit) => note(from, stored.scanBack(from, to, limit)),
  };
  let offset = 0;
  let now = START;
  const at = (value: Uint8Array) => [logRecord({ offset: offset++, value, appendTime: now })];
  /** What is read for one event of a user who is not in memory. */
  const readFor = (value: Uint8Array) => {
    const fold = newPartitionFold(config, loadProgress(store, 0));
    // The first event of all has the ids read.
    fold.fold(store, at(event('click', offset, now, OTHER)));
    [read.keys, read.bytes] = [0, 0];
    fold.fold(store, at(value));
    const { keys, bytes } = read;
    fold.flush(store, []);
    return { keys, bytes };
  };
  const fold = newPartitionFold(config, loadProgress(store, 0));
  for (let n = 0; n < 1000; n++, now += 1000) {
    fold.fold(store, at(event('click', n, now, MANY)));
    fold.fold(store, at(event('conversion', n, now, MANY)));
  }
  fold.flush(store, []);
  now += 10 * DAY_MS;
  const moving = readFor(event('click', 2000, now, MANY));
  expect(moving.bytes).toBeGreaterThan(100_000);
  readFor(event('click', 2001, now, NONE));
  for (const kind of ['click', 'conversion'] as const) {
    now += 5 * DAY_MS;
    const [many, none] = [
      readFor(event(kind, 3000 + offset, now, MANY)),
      readFor(event(kind, 3000 + offset, now, NONE)),
    ];
    expect(many.keys).toBe(none.keys);
    expect(many.bytes).toBe(none.bytes + LAST_CLOSED_BYTES);
  }
  // A correction reads them.
  const refund = { eventId: eventId(9000), userId: `user-${MANY}`, timestamp: BigInt(now), conversionId: eventId(7) };
  const adjustment = { case: 'adjustment', value: { ...refund, kind: 'refund', valueMicros: 1n } } as const;
  expect(readFor(toBinary(EventSchema, create(EventSchema, { event: adjustment }))).keys).toBeGreaterThan(1000 / 32);
  expect(loadProgress(store, 0)).toMatchObject({ adjustments: 1n, waiting: 0n, tooLate: 0n });
});

const [MANY, NONE, OTHER] = [0, 1, 2];

function event(kind: 'click' | 'conversion', i: number, timestamp: number, user: number): Uint8Array {
  const of = { eventId: eventId(i), userId: `user-${user}`, timestamp: BigInt(timestamp), source: 'facebook' };
  const event =
    kind === 'click'
      ? ({ case: kind, value: { ...of, adId: `ad-${i % 100}`, campaignId: `campaign-${i % 10}` } } as const)
      : ({ case: kind, value: { ...of, type: 'purchase', valueMicros: 19_990_000n } } as const);
  return toBinary(EventSchema, create(EventSchema, { event }));
}
