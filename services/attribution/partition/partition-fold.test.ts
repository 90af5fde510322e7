import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { PartitionProgressSchema } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { logRecord } from '../../../test/fixtures/log-record.ts';
import { memoryStateStore } from '../../../test/fixtures/memory-state-store.ts';
import { attributionConfig, parseAttributionEnvironment } from '../decision/config.ts';
import { newPartitionFold } from './partition-fold.ts';

const config = attributionConfig(parseAttributionEnvironment({}));

/** Records that can't be read: their fold is a dead letter each. */
function poison(from: number, to: number) {
  return Array.from({ length: to - from }, (_, i) => logRecord({ offset: from + i, value: Buffer.of(255) }));
}

test('R-2: a batch across the end of the published totals is refused, one on either side of it is folded', () => {
  const totals = create(PartitionProgressSchema, { records: 6n, deadLettered: 6n, version: 5n });
  const begin = () =>
    newPartitionFold(config, create(PartitionProgressSchema), { publishedTotals: { countFrom: 0, totals } });
  const store = memoryStateStore();
  expect(() => begin().fold(store, poison(4, 8))).toThrow('R-2');

  const fold = begin();
  fold.fold(store, poison(0, 3));
  fold.fold(store, poison(3, 6));
  expect([fold.progress.records, fold.takeTotals().length]).toEqual([6n, 0]);
  fold.fold(store, poison(6, 8));
  expect([fold.progress.records, fold.takeTotals().length]).toEqual([8n, 1]);
});
