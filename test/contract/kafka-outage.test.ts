import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type EventLog, LogFull, LogUnavailable } from '../../services/log/event-log.ts';
import { openKafkaLog } from '../../services/log/kafka/log.ts';
import { hang } from '../fixtures/hang.ts';
import { startTestKafka, type TestKafka } from '../fixtures/kafka.ts';
import { KAFKA } from '../needs.ts';

const TOPIC = 'raw-events';
const CALLERS = 40;
/** Brokers start slowly on a busy machine. */
const TIMEOUT_MS = 180_000;
const WAIT = { timeout: TIMEOUT_MS, interval: 20 };

/** Callers that each append the numbers 0, 1, 2, … under a key of their own, one after the other, until stopped. */
interface Load {
  /** By key, the numbers that were acknowledged. */
  acknowledged: Map<string, number[]>;
  rejected: unknown[];
  count(): number;
  stop(): Promise<void>;
}

function startLoad(log: EventLog): Load {
  const acknowledged = new Map<string, number[]>();
  const rejected: unknown[] = [];
  let stopping = false;
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    const numbers: number[] = [];
    acknowledged.set(`caller-${caller}`, numbers);
    for (let number = 0; !stopping; number++) {
      try {
        await log.append([{ topic: TOPIC, key: `caller-${caller}`, value: Buffer.from(`${number}`) }]);
        numbers.push(number);
      } catch (error) {
        rejected.push(error);
      }
    }
  });
  return {
    acknowledged,
    rejected,
    count: () => [...acknowledged.values()].reduce((sum, { length }) => sum + length, 0),
    async stop() {
      stopping = true;
      await Promise.all(callers);
    },
  };
}

/** By key, the numbers in the log, in its order. */
async function numbersIn(log: EventLog): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>();
  for (const [partition, { start, end }] of (await log.offsets(TOPIC)).entries()) {
    let offset = start;
    while (offset < end) {
      const records = await log.read(TOPIC, { partition, offset }, { maxBytes: 1 << 20, waitMs: 30_000 });
      for (const { key, value } of records) {
        found.set(key, [...(found.get(key) ?? []), Number(Buffer.from(value).toString())]);
      }
      offset += records.length;
    }
  }
  return found;
}

describe('when the broker', { tags: KAFKA, timeout: TIMEOUT_MS }, () => {
  let kafka: TestKafka;
  let log: EventLog;
  beforeAll(async () => {
    kafka = await startTestKafka();
  });
  afterAll(() => kafka.close());
  beforeEach(() => kafka.emptyTopics());
  afterEach(() => log.close());

  const open = (options: { deadlineMs: number; maxInFlightBytes?: number }) =>
    openKafkaLog({ bootstrap: kafka.bootstrap, clientId: 'outage', ...options });

  async function moreThan(load: Load, count: number): Promise<void> {
    await vi.waitFor(() => expect(load.count()).toBeGreaterThan(count), WAIT);
  }

  test('L-1, L-12: is killed under load, every append succeeds and is in the log once and in order', async () => {
    log = await open({ deadlineMs: 60_000 });
    const load = startLoad(log);
    for (let kill = 0; kill < 2; kill++) {
      await moreThan(load, load.count() + 2_000);
      process.kill(kafka.pids()[0]!, 'SIGKILL');
    }
    await moreThan(load, load.count() + 2_000);
    await load.stop();
    expect(load.rejected).toEqual([]);
    expect(await numbersIn(log)).toEqual(load.acknowledged);
  });

  test('L-13: hangs past the deadline, what was acknowledged is in the log once, and nothing out of order', async () => {
    log = await open({ deadlineMs: 2_500 });
    const load = startLoad(log);
    await moreThan(load, 2_000);
    const [pid] = kafka.pids();
    await hang(pid!);
    await vi.waitFor(() => expect(load.rejected.length).toBeGreaterThanOrEqual(4 * CALLERS), WAIT);
    process.kill(pid!, 'SIGCONT');
    await moreThan(load, load.count() + 2_000);
    await load.stop();
    for (const error of load.rejected) expect(error).toBeInstanceOf(LogUnavailable);
    const found = await numbersIn(log);
    for (const [key, acknowledged] of load.acknowledged) {
      const stored = found.get(key)!;
      expect(stored).toEqual([...new Set(stored)].sort((a, b) => a - b));
      expect(stored).toEqual(expect.arrayContaining(acknowledged));
    }
  });

  test('L-14: hangs, appends past the limit are refused, the others reject, and later ones work', async () => {
    // Longer than all the appends take: past it they reject, and there is room for more.
    log = await open({ deadlineMs: 1_500, maxInFlightBytes: 1 << 20 });
    const record = { topic: TOPIC, key: '', value: Buffer.alloc(1 << 10), partition: 0 } as const;
    await log.append([record]);
    const [pid] = kafka.pids();
    await hang(pid!);
    const outcomes: Promise<unknown>[] = [];
    for (let i = 0; i < 2_000; i++) {
      outcomes.push(log.append([record]).catch((error) => error.name));
      if (i % 100 === 0) await turn();
    }
    const settled = await Promise.all(outcomes);
    expect(settled.filter((name) => name === LogUnavailable.name)).toHaveLength(1 << 10);
    expect(settled.filter((name) => name === LogFull.name)).toHaveLength(2_000 - (1 << 10));
    await expect(log.read(TOPIC, { partition: 0, offset: 0 }, { maxBytes: 1, waitMs: 0 })).rejects.toThrow(
      LogUnavailable,
    );
    await expect(log.offsets(TOPIC)).rejects.toThrow(LogUnavailable);
    process.kill(pid!, 'SIGCONT');
    await vi.waitFor(() => log.append([record]), WAIT);
  });
});
