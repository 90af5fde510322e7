import { setImmediate as turn } from 'node:timers/promises';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import pino from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { DailyStatsSchema, PartitionProgressSchema } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { type MemoryLog, memoryLog } from '../../../test/fixtures/memory-log.ts';
import { memoryStateStores } from '../../../test/fixtures/memory-state-store.ts';
import { poisonFold } from '../../../test/fixtures/poison.ts';
import { stateDigest } from '../../../test/fixtures/state-digest.ts';
import { LogUnavailable, type NewRecord } from '../../log/event-log.ts';
import { attributionConfig, parseAttributionEnvironment } from '../decision/config.ts';
import { setAsideRecord } from '../outputs/records.ts';
import { newStatus, type Role } from '../status.ts';
import type { StateStore } from '../store/state-store.ts';
import { UserTable } from '../users/user-table.ts';
import { consumePartition } from './consumer.ts';
import { GROUP } from './opening.ts';
import { SetAside } from './set-aside.ts';

const config = attributionConfig(parseAttributionEnvironment({}));
const POISON = 'poison';

/** Ends a consumer as a crash of its process does: nothing it does afterwards takes effect. */
class Death extends Error {}

function click(number: number, userId = `user ${number % 7}`): NewRecord {
  const eventId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
  const value = { eventId, userId, adId: 'ad', campaignId: 'camp', source: 'src', timestamp: BigInt(1e12 + number) };
  const event = create(EventSchema, { event: { case: 'click', value } });
  return { topic: 'raw-events', key: userId, value: toBinary(EventSchema, event) };
}

/** Clicks numbered from 0, of which those at some places are of a user whom the fold fails at. */
function clicks(count: number, ...poison: number[]): NewRecord[] {
  return Array.from({ length: count }, (_, i) => click(i, poison.includes(i) ? POISON : undefined));
}

interface Life {
  role?: Role;
  /** Where it dies: from then on, all that it does throws. */
  dead?: { is: boolean };
}

/** Folds the partition until the test is over or it ends by itself. */
async function consume(log: MemoryLog, stores: Map<number, StateStore>, { role = 'active', dead }: Life = {}) {
  const status = newStatus(0, role, false);
  const stopping = new AbortController();
  const assignment = await log.join('raw-events', GROUP, { async assigned() {}, async revoked() {} });
  const memory = memoryStateStores(stores);
  const mortal = <T>(value: T): T => {
    if (dead?.is) throw new Death();
    return value;
  };
  const deps = {
    config,
    logger: pino({ level: 'silent' }),
    cacheBytes: () => config.userCacheBytes,
    commit: (partition: number, offset: number) => void assignment.commit([{ partition, offset }]),
    stores: {
      ...memory,
      async open(partition: number) {
        const store = await memory.open(mortal(partition));
        return { ...store, write: (changes: Parameters<StateStore['write']>[0]) => store.write(mortal(changes)) };
      },
    },
    log,
  };
  const done = consumePartition(deps, status, stopping.signal);
  done.catch(() => {});
  const stop = () => {
    stopping.abort();
    return done;
  };
  onTestFinished(() => stop().catch(() => {}));
  const reached = (offset: number) =>
    Promise.race([done, vi.waitFor(() => expect(status.nextOffset).toBe(offset), { timeout: 20_000, interval: 5 })]);
  return { status, done, stop, reached };
}

function poison(act: () => void): void {
  onTestFinished(poisonFold((userId) => userId === POISON && act()));
}

function throwing(): void {
  poison(() => {
    throw new TypeError('of undefined');
  });
}

function letters(log: MemoryLog) {
  return log.records('raw-events.DLT').map(({ headers }) => {
    return `${headers['kafka_dlt-original-offset']} ${headers['kafka_dlt-exception-message']}`;
  });
}

/** Clicks counted by the last version of each counter. */
function counted(log: MemoryLog): bigint {
  const last = new Map(log.records('daily-stats').map(({ key, value }) => [key, fromBinary(DailyStatsSchema, value)]));
  return [...last.values()].reduce((sum, { clicks }) => sum + clicks, 0n);
}

test('R-16: records that the fold throws at are set aside, one by one, and all others count', async () => {
  const log = memoryLog(1);
  throwing();
  await log.append(clicks(500, 0, 250, 251, 499));
  const stores = new Map<number, StateStore>();
  const { status, reached, stop } = await consume(log, stores);
  await reached(500);
  expect(status.progress).toMatchObject({ records: 500n, clicks: 496n, deadLettered: 4n });
  await stop();
  expect(status.trouble).toBeUndefined();
  expect(letters(log)).toEqual([0, 250, 251, 499].map((offset) => `${offset} set aside: TypeError: of undefined`));
  expect(counted(log)).toBe(496n);
  const totals = log.records('attribution-progress').at(-1)!;
  expect(fromBinary(PartitionProgressSchema, totals.value)).toMatchObject({ records: 500n, deadLettered: 4n });
});

test.each<[string, (log: MemoryLog, stores: Map<number, StateStore>) => void]>([
  ['the state that the fold left', () => {}],
  ['a state that is lost', (_, stores) => stores.clear()],
])('R-16: a record set aside stays so, from %s, though the fold no longer fails at it', async (_, change) => {
  const log = memoryLog(1);
  await log.append(clicks(100, 40));
  const stores = new Map<number, StateStore>();
  const restore = poisonFold((userId) => {
    if (userId === POISON) throw new Error('bug');
  });
  const first = await consume(log, stores);
  await first.reached(100);
  await first.stop();
  const digest = stateDigest(config, stores.get(0)!);
  restore();
  change(log, stores);
  await log.append(clicks(103).slice(100));
  const second = await consume(log, stores);
  await second.reached(103);
  expect(second.status.progress).toMatchObject({ records: 103n, clicks: 102n, deadLettered: 1n });
  await second.stop();
  expect([letters(log).length, counted(log)]).toEqual([1, 102n]);

  const rebuilt = new Map<number, StateStore>();
  const until100 = await memoryLogUntil(log, 100);
  const third = await consume(until100, rebuilt);
  await third.reached(100);
  await third.stop();
  expect(stateDigest(config, rebuilt.get(0)!)).toBe(digest);
});

test('R-16: the fold does not go past a record before its letter is durable', async () => {
  const log = memoryLog(1);
  throwing();
  await log.append(clicks(100, 40));
  const asked = Promise.withResolvers<void>();
  const durable = Promise.withResolvers<void>();
  log.beforeAppend = ([first]) => {
    if (first!.topic !== 'raw-events.DLT') return;
    asked.resolve();
    return durable.promise;
  };
  const { status, reached, stop } = await consume(log, new Map());
  await asked.promise;
  for (let i = 0; i < 10; i++) await turn();
  expect([status.nextOffset, counted(log)]).toEqual([40, 40n]);
  durable.resolve();
  await reached(100);
  await stop();
  expect(counted(log)).toBe(99n);
});

/** A copy of a log with all letters, but only the first events. */
async function memoryLogUntil(log: MemoryLog, offset: number): Promise<MemoryLog> {
  let at = 0;
  const events = log.records('raw-events').slice(0, offset);
  const copy = memoryLog(1, () => events[Math.min(at++, offset - 1)]!.appendTime);
  await copy.append(events.map((record) => ({ ...record, topic: 'raw-events' })));
  await copy.append(log.records('raw-events.DLT').map((record) => ({ ...record, topic: 'raw-events.DLT' })));
  return copy;
}

test('R-17: a record that takes its process down is set aside in the end, and all others count', async () => {
  const log = memoryLog(1);
  await log.append(clicks(3000, 1234));
  const stores = new Map<number, StateStore>();
  let lives = 0;
  const dead = { is: false };
  poison(() => {
    dead.is = true;
    throw new Death();
  });
  for (; lives < 10; lives++) {
    dead.is = false;
    const life = await consume(log, stores, { dead });
    const isOver = await life.reached(3000).then(
      () => true,
      () => false,
    );
    if (!isOver) continue;
    expect(life.status.progress).toMatchObject({ records: 3000n, clicks: 2999n, deadLettered: 1n });
    await life.stop();
    break;
  }
  expect(lives).toBe(4);
  expect(letters(log)).toEqual(['1234 set aside: the process ended while it was folded']);
  expect(counted(log)).toBe(2999n);
});

test('R-17: a process that dies while nothing is folded sets nothing aside', async () => {
  const log = memoryLog(1);
  await log.append(clicks(10));
  const stores = new Map<number, StateStore>();
  let isDown = true;
  log.beforeAppend = ([first]) => {
    if (isDown && first!.topic !== 'raw-events') throw new LogUnavailable('down');
  };
  for (let lives = 0; lives < 8; lives++) {
    const dead = { is: false };
    const life = await consume(log, stores, { dead });
    for (let i = 0; i < 20; i++) await turn();
    dead.is = true;
    await life.stop().catch(() => {});
  }
  isDown = false;
  const last = await consume(log, stores);
  await last.reached(10);
  expect(last.status.progress).toMatchObject({ records: 10n, clicks: 10n, deadLettered: 0n });
  await last.stop();
  expect(letters(log)).toEqual([]);
});

test('R-16: a record that its state can not be written with is set aside, too', async () => {
  const log = memoryLog(1);
  const all = clicks(300, 150);
  await log.append(all.slice(0, 10));
  const { forEachTouch } = UserTable.prototype;
  vi.spyOn(UserTable.prototype, 'forEachTouch').mockImplementation(function (this: UserTable, slot, ...rest) {
    if (this.index.idOf(slot) === POISON) throw new RangeError('no such touch');
    return forEachTouch.call(this, slot, ...rest);
  });
  onTestFinished(() => void vi.restoreAllMocks());
  const { status, stop } = await consume(log, new Map());
  await vi.waitFor(
    async () => expect(await log.committed('raw-events', GROUP)).toMatchObject([{ offset: 10 }]),
    10_000,
  );
  await log.append(all.slice(10));
  await vi.waitFor(() => expect(letters(log).length).toBe(1), 10_000);
  await vi.waitFor(() => expect(status.progress).toMatchObject({ records: 300n, clicks: 299n, deadLettered: 1n }));
  await stop();
  expect(letters(log)).toEqual([expect.stringContaining('150 set aside: EntryFailure')]);
  expect(counted(log)).toBe(299n);
});

test('R-18: a standby sets nothing aside: it waits for the letter of the active consumer', async () => {
  const log = memoryLog(1);
  await log.append(clicks(20, 10));
  const assignment = await log.join('raw-events', GROUP, { async assigned() {}, async revoked() {} });
  // Another program has folded the record: this one can't.
  await assignment.commit([{ partition: 0, offset: 15 }]);
  throwing();
  const stores = new Map<number, StateStore>();
  const standby = await consume(log, stores, { role: 'standby' });
  await vi.waitFor(() => expect(standby.status.trouble).toContain('records 10 to 10'), { timeout: 20_000 });
  expect([standby.status.nextOffset, letters(log)]).toEqual([10, []]);
  await standby.stop();

  const active = await consume(log, new Map());
  await active.reached(20);
  await active.stop();
  expect(letters(log).length).toBe(1);
  const again = await consume(log, stores, { role: 'standby' });
  await again.reached(20);
  expect(again.status.progress).toMatchObject({ records: 20n, clicks: 19n, deadLettered: 1n });
  expect(letters(log).length).toBe(1);
});

test('R-16: a partition that is opened reads the letters that are new, and knows those of records to come', async () => {
  const log = memoryLog(1);
  const stores = new Map<number, StateStore>();
  const restore = poisonFold((userId) => {
    if (userId === POISON) throw new Error('bug');
  });
  onTestFinished(restore);
  const read = vi.spyOn(log, 'read');
  const lettersReadFrom = async () => {
    read.mockClear();
    await log.append(clicks(100, 40));
    const { reached, stop } = await consume(log, stores);
    await reached(log.records('raw-events').length);
    await stop();
    const ofLetters = read.mock.calls.filter(([topic]) => topic === 'raw-events.DLT');
    // It is opened anew whenever the fold fails.
    return [...new Set(ofLetters.map(([, { offset }]) => offset))];
  };
  expect(await lettersReadFrom()).toEqual([]);
  // Each life writes a letter, which the next one reads.
  expect(await lettersReadFrom()).toEqual([0]);
  expect(await lettersReadFrom()).toEqual([1]);
  expect(letters(log).length).toBe(3);

  const first = new SetAside(log, 0);
  await first.update();
  const second = new SetAside(log, 0, first.note(140).value);
  read.mockClear();
  await second.update();
  expect(read.mock.calls).toEqual([]);
  expect([40, 140, 240].map((offset) => second.has(offset))).toEqual([false, true, true]);
  // The letters were deleted, and there are others.
  const other = memoryLog(1);
  await other.append([{ ...log.records('raw-events.DLT')[0]!, topic: 'raw-events.DLT' }]);
  const third = new SetAside(other, 0, second.note(300).value);
  await third.update();
  expect([third.size, third.has(40)]).toEqual([1, true]);
});

test('a note lists the records of the first ten thousand letters, and the others are read again', async () => {
  const log = memoryLog(1);
  await log.append(clicks(20_001));
  const records = log.records('raw-events').slice(10_000);
  await log.append(records.map((record) => setAsideRecord(record, 'poison')));
  const first = new SetAside(log, 0);
  await first.update();
  const { value } = first.note(10_000);
  expect(JSON.parse(value.toString())).toEqual({ next: 10_000, offsets: expect.objectContaining({ length: 10_000 }) });
  const second = new SetAside(log, 0, value);
  expect([second.size, second.has(20_000)]).toEqual([10_000, false]);
  await second.update();
  expect([second.size, second.has(20_000)]).toEqual([10_001, true]);
  // Now that the first of them is folded there is room for all.
  expect(JSON.parse(second.note(10_001).value.toString())).toMatchObject({ next: 10_001 });
});
