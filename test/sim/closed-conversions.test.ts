import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { EventSchema } from '../../gen/ts/clickmesh/v1/event_pb.js';
import { attributionConfig, parseAttributionEnvironment } from '../../services/attribution/decision/config.ts';
import { newPartitionFold } from '../../services/attribution/partition/partition-fold.ts';
import { loadProgress } from '../../services/attribution/store/progress.ts';
import { rocksdbStateStores } from '../../services/attribution/store/rocksdb-state-store.ts';
import { newSweep } from '../../services/attribution/store/sweep.ts';
import { DAY_MS } from '../../services/contract/limits.ts';
import type { LogRecord } from '../../services/log/event-log.ts';
import { eventId } from '../bench/drain-load.ts';
import { logRecord } from '../fixtures/log-record.ts';
import { temporaryFolder } from '../fixtures/mesh-process.ts';

const USERS = 5000;
/** Most bytes on disk of a conversion that no click that comes can be credited with, but corrections can change. */
const MOST_BYTES = 200;
const START = Date.UTC(2026, 0, 5);

test(`a closed conversion under five models, with its click, takes at most ${MOST_BYTES} bytes on disk`, async () => {
  using folder = temporaryFolder();
  const store = await rocksdbStateStores(folder.path).open(0);
  // The rollups are of all partitions and days, and no matter of conversions.
  const config = attributionConfig(parseAttributionEnvironment({ ROLLUPS: '' }));
  const sweep = newSweep(config);
  let offset = 0;
  const foldOn = (events: (i: number) => LogRecord['value'], now: number) => {
    const fold = newPartitionFold(config, loadProgress(store, 0));
    const records = Array.from({ length: USERS }, (_, i) =>
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
  foldOn((i) => event('click', i, START), START);
  foldOn((i) => event('conversion', i, START + 1000), START + 1000);
  // Others go on, until the ids of before are forgotten.
  foldOn(() => event('click', USERS, START + 40 * DAY_MS), START + 40 * DAY_MS);
  await store.close();
  // Opened and closed, it writes what lay in its log.
  await (await rocksdbStateStores(folder.path).open(0)).close();
  const files = readdirSync(join(folder.path, '0')).filter((name) => name.endsWith('.sst'));
  const bytes = files.reduce((sum, name) => sum + statSync(join(folder.path, '0', name)).size, 0);
  expect(bytes / USERS).toBeGreaterThan(100);
  expect(bytes / USERS).toBeLessThanOrEqual(MOST_BYTES);
});

function event(kind: 'click' | 'conversion', i: number, timestamp: number): Uint8Array {
  const of = { eventId: eventId(i), userId: `user-${i}`, timestamp: BigInt(timestamp), source: 'facebook' };
  const event =
    kind === 'click'
      ? ({ case: kind, value: { ...of, adId: `ad-${i % 100}`, campaignId: `campaign-${i % 10}` } } as const)
      : ({ case: kind, value: { ...of, type: 'purchase', valueMicros: 19_990_000n } } as const);
  return toBinary(EventSchema, create(EventSchema, { event }));
}
