import { expect, test } from 'vitest';
import { memoryLog } from '../../../test/fixtures/memory-log.ts';
import { type Failure, type Position, type Reading, StallWatch } from './stalls.ts';

const MINUTE = 60_000;

/** A watch over a log of one partition, and what it is told. */
async function watching(records: number) {
  const log = memoryLog(1);
  const append = (count: number) =>
    log.append(Array.from({ length: count }, () => ({ topic: 'raw-events', key: 'k', value: Buffer.of(1) })));
  await append(records);
  const told = { position: undefined as Position | undefined, failure: undefined as Failure | undefined };
  const readings = async (): Promise<Reading[]> => [
    { reader: 'attribution', topic: 'raw-events', positions: [told.position] },
  ];
  const watch = new StallWatch({ log, readings, failure: () => told.failure });
  const look = async (now: number, position?: Position, failure?: Failure) => {
    Object.assign(told, { position, failure });
    await watch.look(now);
    return watch.list().map(({ offset, waiting, since, reason }) => `${offset} +${waiting} since ${since}: ${reason}`);
  };
  return { watch, look, append };
}

test('records that wait for a minute without progress are stalled, until there is some', async () => {
  const { watch, look } = await watching(10);
  expect(await look(0, { nextOffset: 4 })).toEqual([]);
  expect(await look(MINUTE - 1, { nextOffset: 4 })).toEqual([]);
  expect(await look(MINUTE, { nextOffset: 4 })).toEqual(['4 +6 since 0: no progress for 60 s']);
  expect(watch.notice()).toBe(
    'attribution does not go on: partition 0, offset 4, 6 waiting, since 1970-01-01T00:00:00.000Z: ' +
      'no progress for 60 s; events are kept and will be counted',
  );
  expect(await look(2 * MINUTE, { nextOffset: 5 })).toEqual([]);
  expect(watch.notice()).toBeUndefined();
});

test('what has folded all does not stall, however long nothing comes; what comes then has its minute', async () => {
  const { look, append } = await watching(10);
  expect(await look(0, { nextOffset: 10 })).toEqual([]);
  expect(await look(9 * MINUTE, { nextOffset: 10 })).toEqual([]);
  await append(1);
  expect(await look(10 * MINUTE - 1, { nextOffset: 10 })).toEqual([]);
  expect(await look(10 * MINUTE, { nextOffset: 10 })).toEqual(['10 +1 since 540000: no progress for 60 s']);
});

test('what is folded once more after a restart is no progress', async () => {
  const { look } = await watching(10);
  await look(0, { nextOffset: 4 });
  await look(10, { nextOffset: 2 });
  await look(20, { nextOffset: 3 });
  await look(30, undefined);
  expect(await look(MINUTE, { nextOffset: 4 })).toEqual(['4 +6 since 0: no progress for 60 s']);
});

test('trouble, and a failure without progress since, are said at once', async () => {
  const { watch, look } = await watching(10);
  expect(await look(0, { nextOffset: 4, trouble: 'not “this” one' })).toEqual(['4 +6 since 0: not “this” one']);
  expect(watch.notice()).toContain(': not ?this? one;');
  const failure = { reason: 'out of memory', at: 5 };
  expect(await look(10, undefined, failure)).toEqual(['4 +6 since 0: out of memory']);
  expect(await look(20, { nextOffset: 4 }, failure)).toEqual(['4 +6 since 0: out of memory']);
  expect(await look(30, { nextOffset: 5 }, failure)).toEqual([]);
  expect(await look(40, { nextOffset: 10, trouble: 'none of this' }, failure)).toEqual([]);
});

test('a topic that ClickHouse does not go on in is told apart from attribution, with the error of the last try', async () => {
  const log = memoryLog(2);
  await log.append([
    { topic: 'raw-events', key: 'k', value: Buffer.of(1) },
    { topic: 'daily-stats', key: 'k', value: Buffer.of(1) },
  ]);
  const partition = (await log.offsets('daily-stats')).findIndex(({ end }) => end === 1);
  let inserted = 0;
  const readings = async (): Promise<Reading[]> => [
    { reader: 'attribution', topic: 'raw-events', positions: [{ nextOffset: 1 }, { nextOffset: 1 }] },
    ...(['raw-events', 'daily-stats'] as const).map((topic): Reading => {
      const nextOffset = topic === 'raw-events' ? 1 : inserted;
      const position = { nextOffset, lastError: 'the table is gone' };
      return { reader: 'ClickHouse', topic, positions: [position, position] };
    }),
  ];
  const watch = new StallWatch({ log, readings });
  await watch.look(0);
  await watch.look(MINUTE - 1);
  expect(watch.notice()).toBeUndefined();
  await watch.look(MINUTE);
  expect(watch.list()).toMatchObject([
    { reader: 'ClickHouse', topic: 'daily-stats', partition, offset: 0, waiting: 1 },
  ]);
  const notice =
    `ClickHouse does not go on: daily-stats, partition ${partition}, offset 0, 1 waiting, since ` +
    '1970-01-01T00:00:00.000Z: the table is gone; events are kept and will be counted';
  expect(watch.notice()).toBe(notice);
  expect(watch.notice('ClickHouse')).toBe(notice);
  expect(watch.notice('attribution')).toBeUndefined();
  inserted = 1;
  await watch.look(2 * MINUTE);
  expect(watch.notice()).toBeUndefined();
});
