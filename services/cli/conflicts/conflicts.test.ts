import { create, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Event, EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { startTestClickHouse, type TestClickHouse } from '../../../test/fixtures/clickhouse.ts';
import { logRecord } from '../../../test/fixtures/log-record.ts';
import { memoryStateStore } from '../../../test/fixtures/memory-state-store.ts';
import { attributionConfig, parseAttributionEnvironment } from '../../attribution/decision/config.ts';
import { newPartitionFold } from '../../attribution/partition/partition-fold.ts';
import { loadProgress } from '../../attribution/store/progress.ts';
import { insertRecords } from '../../clickhouse/insert-records.ts';
import { streamOf } from '../../clickhouse/streams.ts';
import { DAY_MS } from '../../contract/limits.ts';
import { findConflicts } from './conflicts.ts';

const NOW = Date.now();
const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

let server: TestClickHouse;
beforeAll(async () => {
  server = await startTestClickHouse();
});
afterAll(() => server.close());

function click(n: number, userId: string, campaignId: string): Event {
  const value = { eventId: id(n), userId, adId: 'ad', campaignId, source: 'src', timestamp: BigInt(NOW - DAY_MS) };
  return create(EventSchema, { event: { case: 'click', value } });
}

function conversion(n: number, valueMicros: bigint, source: string): Event {
  const of = { userId: 'ann', type: 'buy', timestamp: BigInt(NOW - DAY_MS) };
  return create(EventSchema, { event: { case: 'conversion', value: { ...of, eventId: id(n), valueMicros, source } } });
}

test('what came again with other content is listed with what was kept; ids of several users, too', async () => {
  const events = [
    [click(1, 'ann', 'red'), 3],
    [click(1, 'ann', 'red'), 3],
    [click(1, 'bob', 'blue'), 3],
    [conversion(1, 5_000_000n, 'web'), 3],
    [conversion(1, 7_500_000n, 'web'), 3],
    [conversion(1, 5_000_000n, 'app'), 3],
    // By then only the id of the first is known.
    [click(1, 'ann', 'green'), 0],
  ] as const;
  const store = memoryStateStore();
  const fold = newPartitionFold(attributionConfig(parseAttributionEnvironment({})), loadProgress(store, 0));
  const records = events.map(([event, daysAgo], offset) =>
    logRecord({ value: toBinary(EventSchema, event), offset, appendTime: NOW - daysAgo * DAY_MS }),
  );
  const outputs = fold.fold(store, records).filter(({ topic }) => topic === 'event-conflicts');
  expect(fold.progress).toMatchObject({ conflicts: 2n, clickDuplicates: 2n, conversionDuplicates: 2n });
  expect(outputs.map(({ key }) => key)).toEqual(['ann', 'ann']);
  const conflicts = outputs.map(({ value }, offset) => logRecord({ value, offset, appendTime: NOW }));
  await insertRecords(server.client, streamOf('raw-events'), records);
  await insertRecords(server.client, streamOf('event-conflicts'), conflicts);

  const found = await findConflicts(server.client, { days: 7, limit: 10 });
  const timestamp = new Date(NOW - DAY_MS).toISOString().replace('T', ' ').slice(0, -1);
  const of = { event_id: id(1), user_id: 'ann', arrived: expect.any(String) };
  const [ad, bought] = [
    { timestamp, ad_id: 'ad', source: 'src' },
    { timestamp, type: 'buy' },
  ];
  expect(found).toEqual({
    conflicts: [
      { ...of, event_type: 'click', kept: { ...ad, campaign_id: 'red' }, not_kept: { ...ad, campaign_id: 'green' } },
      { ...of, event_type: 'conversion', kept: { ...bought, value: '5' }, not_kept: { ...bought, value: '7.5' } },
    ],
    shared_ids: [{ event_type: 'click', event_id: id(1), users: 2, user_ids: ['ann', 'bob'] }],
  });
  expect(await findConflicts(server.client, { days: 2, limit: 10 })).toMatchObject({ shared_ids: [] });
});
