import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TOPICS, type Topic } from '../../services/contract/topics.ts';
import {
  type EventLog,
  type LogRecord,
  LogUnavailable,
  type NewRecord,
  OffsetOutOfRange,
  type RecordPosition,
} from '../../services/log/event-log.ts';
import { partitionOf } from '../../services/log/partitioner.ts';
import { plainRecord } from '../fixtures/log-record.ts';

/** A log under test, in a place of its own. */
export interface LogUnderTest {
  log: EventLog;
  /** Closes the log and opens it again on what it left. */
  reopen(): Promise<EventLog>;
  /** Closes what is open and removes everything. */
  destroy(): Promise<void>;
}

const TOPIC: Topic = 'raw-events';
const NOW = { maxBytes: 1 << 20, waitMs: 0 };
const LONG = { maxBytes: 1 << 20, waitMs: 30_000 };
/** Longer than a test may take: what ends the wait is not the time. */
const FOREVER = { maxBytes: 1 << 20, waitMs: 600_000 };

function record(key: string, value: string, more: Partial<NewRecord> = {}): NewRecord {
  return { topic: TOPIC, key, value: Buffer.from(value), ...more };
}

function numbered(count: number, partition: number): NewRecord[] {
  return Array.from({ length: count }, (_, i) => record(`key-${i}`, `value-${i}`, { partition }));
}

/** Every record of a partition, in reads of at most `maxBytes`. */
async function readAll(log: EventLog, partition: number, maxBytes = 1 << 20, topic = TOPIC): Promise<LogRecord[]> {
  const { start, end } = (await log.offsets(topic))[partition]!;
  const records: LogRecord[] = [];
  while (start + records.length < end) {
    const from = { partition, offset: start + records.length };
    records.push(...(await log.read(topic, from, { maxBytes, waitMs: LONG.waitMs })));
  }
  return records;
}

const text = ({ value }: LogRecord) => Buffer.from(value).toString();

/** The log of the running test. */
interface Current {
  subject: LogUnderTest;
  log: EventLog;
}

/** What services/log/event-log.ts promises, for any adapter. Its log needs at least two partitions. */
export function eventLogContract(name: string, open: () => Promise<LogUnderTest>): void {
  describe(name, () => {
    const current = {} as Current;
    beforeEach(async () => {
      current.subject = await open();
      current.log = current.subject.log;
    });
    afterEach(() => current.subject.destroy());

    describe('append', () => appendContract(current));
    describe('read', () => readContract(current));
    describe('read at the end', () => endContract(current));
    describe('offsets', () => offsetsContract(current));
    describe('reopened', () => reopenedContract(current));
    describe('join', () => joinContract(current));
  });
}

function appendContract(current: Current): void {
  test('L-5: answers positions in the order of the records, each partition from 0 without gaps', async () => {
    const records = Array.from({ length: 100 }, (_, i) => record(`user-${i % 17}`, `${i}`));
    const positions = [
      ...(await current.log.append(records.slice(0, 60))),
      ...(await current.log.append(records.slice(60))),
    ];
    const next = new Map<number, number>();
    for (const [i, { partition, offset }] of positions.entries()) {
      expect(offset).toBe(next.get(partition) ?? 0);
      next.set(partition, offset + 1);
      const [found] = await current.log.read(TOPIC, { partition, offset }, LONG);
      expect(text(found!)).toBe(`${i}`);
    }
  });

  test('of nothing answers nothing', async () => {
    expect(await current.log.append([])).toEqual([]);
  });

  test('L-5: puts a key in the partition that the Java client would choose', async () => {
    const partitions = (await current.log.offsets(TOPIC)).length;
    const keys = Array.from({ length: 50 }, (_, i) => `user-${i}-ü`);
    const positions = await current.log.append(keys.map((key) => record(key, '')));
    expect(positions.map(({ partition }) => partition)).toEqual(keys.map((key) => partitionOf(key, partitions)));
  });

  test('puts a record in the partition it asks for, whatever its key', async () => {
    const positions = await current.log.append([0, 1, 0].map((partition) => record('one-key', '', { partition })));
    expect(positions).toEqual([
      { partition: 0, offset: 0 },
      { partition: 1, offset: 0 },
      { partition: 0, offset: 1 },
    ]);
  });

  test('L-6: rejects a partition that does not exist, and appends nothing of the call', async () => {
    const call = current.log.append([record('a', '', { partition: 0 }), record('b', '', { partition: 1_000 })]);
    await expect(call).rejects.toThrow();
    expect((await current.log.offsets(TOPIC))[0]).toEqual({ start: 0, end: 0 });
  });

  test('L-3: keeps the order of the calls of one caller that does not wait', async () => {
    const calls = Array.from({ length: 200 }, (_, i) => current.log.append([record('', `${i}`, { partition: 1 })]));
    const positions = (await Promise.all(calls)).flat();
    expect(positions.map(({ offset }) => offset)).toEqual(Array.from({ length: 200 }, (_, i) => i));
    expect((await readAll(current.log, 1)).map(text)).toEqual(Array.from({ length: 200 }, (_, i) => `${i}`));
  });

  test('gives every record of concurrent callers a position of its own', async () => {
    const callers = Array.from({ length: 20 }, async (_, caller) => {
      const positions: RecordPosition[] = [];
      for (let i = 0; i < 20; i++)
        positions.push(...(await current.log.append([record(`${caller}`, `${caller}:${i}`)])));
      return positions;
    });
    for (const [caller, positions] of (await Promise.all(callers)).entries()) {
      for (const [i, position] of positions.entries()) {
        if (i > 0) expect(position.offset).toBeGreaterThan(positions[i - 1]!.offset);
        expect(text((await current.log.read(TOPIC, position, LONG))[0]!)).toBe(`${caller}:${i}`);
      }
    }
    const ranges = await current.log.offsets(TOPIC);
    expect(ranges.reduce((sum, { start, end }) => sum + end - start, 0)).toBe(400);
  });

  test('spreads one call over several topics, which do not see each other', async () => {
    await current.log.append(TOPICS.map((topic) => record('k', topic, { topic, partition: 0 })));
    for (const topic of TOPICS) {
      expect((await readAll(current.log, 0, NOW.maxBytes, topic)).map(text)).toEqual([topic]);
    }
  });

  test('does not see what the caller does with its bytes afterwards', async () => {
    const value = Buffer.from('before');
    const appended = current.log.append([record('k', '', { value, partition: 0 })]);
    value.write('after!');
    await appended;
    expect(text((await readAll(current.log, 0))[0]!)).toBe('before');
  });

  test('L-11: rejects with LogUnavailable once the log is closed', async () => {
    await current.log.close();
    await expect(current.log.append([record('k', 'v')])).rejects.toThrow(LogUnavailable);
  });
}

function readContract(current: Current): void {
  test('gives back key, value, headers, position and append time', async () => {
    const before = Date.now();
    const headers = { traceparent: '00-abc-01', naïve: 'ümlaut' };
    await current.log.append([
      record('user-ß', 'a value', { partition: 1, headers }),
      record('k', 'v', { partition: 1 }),
    ]);
    const records = await readAll(current.log, 1);
    expect(records[0]).toMatchObject({ partition: 1, offset: 0, key: 'user-ß', headers });
    expect(text(records[0]!)).toBe('a value');
    expect(records[1]).toMatchObject({ partition: 1, offset: 1, key: 'k', headers: {} });
    for (const { key, value, bytes, start, end, size } of records) {
      expect(Buffer.compare(bytes.subarray(start, end), value)).toBe(0);
      expect(size).toBe(Buffer.byteLength(key) + value.length);
    }
    for (const { appendTime } of records) {
      expect(appendTime).toBeGreaterThanOrEqual(before);
      expect(appendTime).toBeLessThanOrEqual(Date.now());
    }
  });

  test('takes an empty value, an empty key and a value of 1 MiB', async () => {
    const large = Buffer.alloc(1 << 20, 'large ');
    const values = [Buffer.alloc(0), large, Buffer.from('small')];
    await current.log.append(values.map((value) => record('', '', { value, partition: 0 })));
    const records = await readAll(current.log, 0);
    expect(records.map(({ key }) => key)).toEqual(['', '', '']);
    for (const [i, value] of values.entries()) expect(Buffer.compare(records[i]!.value, value)).toBe(0);
  });

  test('starts at any offset and goes on to the end', async () => {
    await current.log.append(numbered(40, 0));
    await current.log.append(numbered(40, 0));
    for (const offset of [0, 1, 39, 40, 41, 79]) {
      const records = await current.log.read(TOPIC, { partition: 0, offset }, LONG);
      expect(records[0]).toMatchObject({ offset, key: `key-${offset % 40}` });
    }
    expect(await current.log.read(TOPIC, { partition: 0, offset: 80 }, NOW)).toEqual([]);
  });

  test.each([1, 100, 5_000])('answers about maxBytes, %i, but at least one record', async (maxBytes) => {
    const value = Buffer.alloc(1_000, 'x');
    await current.log.append(Array.from({ length: 30 }, () => record('key', '', { value, partition: 0 })));
    const records = await current.log.read(TOPIC, { partition: 0, offset: 0 }, { maxBytes, waitMs: LONG.waitMs });
    expect(records.length).toBeGreaterThanOrEqual(1);
    expect(records.length).toBeLessThanOrEqual(Math.ceil(maxBytes / 1_000));
    expect((await readAll(current.log, 0, maxBytes)).map(({ offset }) => offset)).toEqual([...Array(30).keys()]);
  });

  test('goes on through a long log, also after a read elsewhere', async () => {
    const values = Array.from({ length: 600 }, () => randomBytes(10_000));
    await current.log.append(values.map((value) => record('key', '', { value, partition: 0 })));
    const read: LogRecord[] = [];
    const next = () => ({ partition: 0, offset: read.length });
    while (read.length < values.length) {
      read.push(...(await current.log.read(TOPIC, next(), { maxBytes: 100_000, waitMs: LONG.waitMs })));
      if (read.length % 7 > 0) continue;
      const [first] = await current.log.read(TOPIC, { partition: 0, offset: 5 }, LONG);
      expect(first!.offset).toBe(5);
    }
    expect(read.map(({ offset }) => offset)).toEqual([...values.keys()]);
    for (const [i, value] of values.entries()) expect(Buffer.compare(read[i]!.value, value)).toBe(0);
  });

  test('L-3: sees a record once its append has resolved, and the same record every time', async () => {
    for (let i = 0; i < 20; i++) {
      const [position] = await current.log.append([record('k', `${i}`)]);
      const first = await current.log.read(TOPIC, position!, LONG);
      expect(first.map(text)).toEqual([`${i}`]);
      expect((await current.log.read(TOPIC, position!, LONG)).map(plainRecord)).toEqual(first.map(plainRecord));
    }
  });
}

function endContract(current: Current): void {
  test('tells whether there was more behind what it answered', async () => {
    expect(current.log.endSeen(TOPIC, 0)).toBe(0);
    await current.log.append(numbered(40, 0));
    for (let offset = 0; offset < 40; ) {
      const records = await current.log.read(TOPIC, { partition: 0, offset }, { maxBytes: 100, waitMs: LONG.waitMs });
      expect(current.log.endSeen(TOPIC, 0)).toBe(40);
      offset += records.length;
    }
    await current.log.append(numbered(5, 0));
    expect(current.log.endSeen(TOPIC, 0)).toBe(40);
    await current.log.read(TOPIC, { partition: 0, offset: 40 }, LONG);
    expect(current.log.endSeen(TOPIC, 0)).toBe(45);
    expect(current.log.endSeen(TOPIC, 1)).toBe(0);
  });

  test('throws OffsetOutOfRange after the end', async () => {
    await current.log.append(numbered(3, 0));
    await expect(current.log.read(TOPIC, { partition: 0, offset: 4 }, NOW)).rejects.toThrow(OffsetOutOfRange);
    await expect(current.log.read(TOPIC, { partition: 0, offset: -1 }, NOW)).rejects.toThrow(OffsetOutOfRange);
  });

  test('L-10: waits and is woken by an append', async () => {
    await current.log.append(numbered(2, 0));
    const reading = current.log.read(TOPIC, { partition: 0, offset: 2 }, FOREVER);
    await current.log.append([record('k', 'elsewhere', { partition: 1 }), record('k', 'awaited', { partition: 0 })]);
    expect((await reading).map(text)).toEqual(['awaited']);
  });

  test('answers nothing after waitMs', async () => {
    expect(await current.log.read(TOPIC, { partition: 0, offset: 0 }, { maxBytes: 1, waitMs: 20 })).toEqual([]);
  });

  test('answers nothing when it is aborted', async () => {
    const abort = new AbortController();
    const reading = current.log.read(TOPIC, { partition: 0, offset: 0 }, { ...FOREVER, signal: abort.signal });
    abort.abort();
    expect(await reading).toEqual([]);
    expect(await current.log.read(TOPIC, { partition: 0, offset: 0 }, { ...LONG, signal: abort.signal })).toEqual([]);
  });

  test('L-11: answers nothing when the log is closed', async () => {
    const reading = current.log.read(TOPIC, { partition: 0, offset: 0 }, FOREVER);
    await current.log.close();
    expect(await reading).toEqual([]);
  });
}

function offsetsContract(current: Current): void {
  test('are one range per partition, empty at first', async () => {
    const ranges = await current.log.offsets(TOPIC);
    expect(ranges.length).toBeGreaterThanOrEqual(2);
    for (const range of ranges) expect(range).toEqual({ start: 0, end: 0 });
  });

  test('count what was appended', async () => {
    await current.log.append(numbered(5, 1));
    const ranges = await current.log.offsets(TOPIC);
    expect(ranges[0]).toEqual({ start: 0, end: 0 });
    expect(ranges[1]).toEqual({ start: 0, end: 5 });
  });
}

function reopenedContract(current: Current): void {
  test('L-1: has everything that was acknowledged and goes on where it ended', async () => {
    await current.log.append(numbered(500, 0));
    const before = (await readAll(current.log, 0)).map(plainRecord);
    current.log = await current.subject.reopen();
    expect((await readAll(current.log, 0)).map(plainRecord)).toEqual(before);
    expect(await current.log.append(numbered(1, 0))).toEqual([{ partition: 0, offset: 500 }]);
  });

  test('L-11: has what was under way when it was closed', async () => {
    const appending = current.log.append(numbered(100, 1));
    current.log = await current.subject.reopen();
    expect((await appending).length).toBe(100);
    expect((await current.log.offsets(TOPIC))[1]).toEqual({ start: 0, end: 100 });
  });
}

function joinContract(current: Current): void {
  test('assigns every partition to the only member, which may commit and gives them back', async () => {
    const all = (await current.log.offsets(TOPIC)).map((_, partition) => partition);
    const assigned = new Set<number>();
    const joined = Promise.withResolvers<void>();
    const assignment = await current.log.join(TOPIC, 'group', {
      async assigned(partitions) {
        for (const partition of partitions) assigned.add(partition);
        if (assigned.size === all.length) joined.resolve();
      },
      async revoked(partitions) {
        for (const partition of partitions) assigned.delete(partition);
      },
    });
    await joined.promise;
    await current.log.append(numbered(10, 0));
    await assignment.commit([{ partition: 0, offset: 4 }]);
    await assignment.commit([]);
    expect([...assigned].sort((a, b) => a - b)).toEqual(all);
    expect(await assignment.members()).toEqual([{ name: assignment.name, partitions: all }]);
    await assignment.close();
    expect([...assigned]).toEqual([]);
  });

  test('L-17: remembers what a group committed, for each group and topic, also when it is reopened', async () => {
    expect(await current.log.committed(TOPIC, 'group')).toEqual([]);
    await current.log.append(numbered(10, 1));
    const assignment = await current.log.join(TOPIC, 'group', { async assigned() {}, async revoked() {} });
    await assignment.commit([{ partition: 1, offset: 4 }]);
    await assignment.commit([{ partition: 1, offset: 7 }]);
    await assignment.close();
    expect(await current.log.committed(TOPIC, 'group')).toEqual([{ partition: 1, offset: 7 }]);
    expect(await current.log.committed(TOPIC, 'another')).toEqual([]);
    expect(await current.log.committed('daily-stats', 'group')).toEqual([]);
    current.log = await current.subject.reopen();
    expect(await current.log.committed(TOPIC, 'group')).toEqual([{ partition: 1, offset: 7 }]);
  });
}
