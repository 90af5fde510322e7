import type { ClickHouseClient } from '@clickhouse/client';
import type { Logger } from 'pino';
import { TOPICS, type Topic } from '../contract/topics.ts';
import type { EventLog, LogRecord } from '../log/event-log.ts';
import { pause, type Restarts, restarting } from '../system/restarting.ts';
import { withRecordSpans } from '../telemetry/tracing.ts';
import { clickhouseClient } from './client.ts';
import { insertRecords } from './insert-records.ts';
import { STREAMS, type Stream } from './streams.ts';

export interface Sink {
  /** Next offset to insert, by topic and partition: those before are inserted. Empty for topics it does not read. */
  positions(): Record<Topic, number[]>;
  /** Why the last insert of a topic failed, for those that have failed since one was stored. */
  troubles(): Partial<Record<Topic, string>>;
  /** Rejects if the sink can't go on, as the log is not the one it read before; otherwise never settles. */
  failed: Promise<never>;
  /** Finishes the inserts under way and notes the progress, if ClickHouse answers. */
  close(): Promise<void>;
}

/** About the most bytes of records in one insert: each makes a part in every table, so larger ones are cheaper. */
const BATCH_BYTES = 8 << 20;
/** Longest time for an insert, in ms: one that is given up is begun anew, and takes as long again. */
const INSERT_TIMEOUT_MS = 300_000;
/** Pause between two inserts of a topic, in ms: each makes a part, and an event is to be seen within a second. */
const INSERT_INTERVAL_MS = 250;
/** Pause between two notes of the progress, in ms: what came since the last is inserted again after a crash. */
const SAVE_INTERVAL_MS = 1000;
/** Most that is told of an error, which may repeat a whole statement. */
const MAX_TROUBLE_LENGTH = 200;
const RETRIES: Restarts = { firstMs: 200, longestMs: 5000, steadyMs: 5000 };

/** A client for a sink, which waits longer for an answer than others do. */
export function sinkClient(url: string, timeoutMs: number = INSERT_TIMEOUT_MS): ClickHouseClient {
  return clickhouseClient(url, undefined, undefined, timeoutMs);
}

/**
 * Copies the log's topics into ClickHouse as its Kafka engine would. Topics do not wait for each other; within a topic
 * nothing is skipped, and while ClickHouse or the log is down it tries again. Progress is noted after the rows are
 * stored, so a crash makes it insert some records twice, and the tables keep one row per key.
 *
 * @param client of a server that was migrated
 */
export function startSink(log: EventLog, client: ClickHouseClient, logger: Logger): Sink {
  const positions = Object.fromEntries(TOPICS.map((topic) => [topic, [] as number[]])) as Record<Topic, number[]>;
  const troubles: Partial<Record<Topic, string>> = {};
  const closing = new AbortController();
  const saveProgress = progressWriter(client, positions);

  /** Repeats a step until close, with growing pauses while it fails; it resolves with the pause after it, in ms. */
  function repeat(name: string, step: () => Promise<number>): Promise<void> {
    async function untilFailure(steady: () => void): Promise<unknown> {
      try {
        for (; !closing.signal.aborted; steady()) await pause(await step(), closing.signal);
      } catch (err) {
        if (err instanceof LogReplaced) throw err;
        return err;
      }
    }
    return restarting(untilFailure, RETRIES, closing.signal, (err, retryMs) => {
      logger.warn({ err, retryMs }, `${name} failed; trying again`);
    });
  }

  async function insert(stream: Stream): Promise<number> {
    try {
      const pauseMs = await insertBatch(stream);
      delete troubles[stream.topic];
      return pauseMs;
    } catch (err) {
      troubles[stream.topic] = (err as Error).message.slice(0, MAX_TROUBLE_LENGTH).trim();
      throw err;
    }
  }

  async function insertBatch(stream: Stream): Promise<number> {
    const began = performance.now();
    if (positions[stream.topic].length === 0) positions[stream.topic] = await loadPositions(client, log, stream.topic);
    const next = positions[stream.topic];
    const records = await readBatch(log, stream.topic, next, logger);
    const inserting = () => insertRecords(client, stream, records);
    if (records.length > 0) await withRecordSpans('insert', stream.topic, records, inserting);
    let bytes = 0;
    for (const { partition, offset, value } of records) {
      next[partition] = offset + 1;
      bytes += value.length;
    }
    // A large batch means that the sink is behind, and the next one is already there.
    if (bytes > BATCH_BYTES / 2) return 0;
    return Math.max(0, INSERT_INTERVAL_MS - (performance.now() - began));
  }

  const inserting = STREAMS.map((stream) => repeat(`inserting ${stream.topic}`, () => insert(stream)));
  const noting = repeat('noting the progress', () => saveProgress().then(() => SAVE_INTERVAL_MS));
  const loops = [...inserting, noting];
  return {
    positions: () => positions,
    troubles: () => troubles,
    failed: Promise.all(loops).then(() => new Promise<never>(() => {})),
    async close() {
      closing.abort();
      await Promise.allSettled(loops);
      await saveProgress().catch((err) => logger.warn({ err }, 'noting the progress failed'));
    },
  };
}

/** Thrown when the log ends before what ClickHouse has of it. */
class LogReplaced extends Error {
  override name = 'LogReplaced';
}

async function loadPositions(client: ClickHouseClient, log: EventLog, topic: Topic): Promise<number[]> {
  const result = await client.query({
    query: 'SELECT partition, next_offset FROM sink_offsets FINAL WHERE topic = {topic:String}',
    query_params: { topic },
    format: 'JSONEachRow',
  });
  const rows = await result.json<{ partition: number; next_offset: string | number }>();
  const saved = new Map(rows.map((row) => [row.partition, Number(row.next_offset)]));
  return (await log.offsets(topic)).map(({ start, end }, partition) => {
    const next = saved.get(partition) ?? start;
    if (next <= end) return next;
    throw new LogReplaced(
      `ClickHouse has ${topic}/${partition} up to offset ${next}, but the log ends at ${end}: it is another log. ` +
        'Give it an empty database, or the log it read before',
    );
  });
}

/** Reads on in all partitions, about BATCH_BYTES at most, of which each partition that has more gets its share. */
async function readBatch(log: EventLog, topic: Topic, next: number[], logger: Logger): Promise<LogRecord[]> {
  const ranges = await log.offsets(topic);
  const behind = ranges.flatMap(({ start, end }, partition) => {
    const offset = Math.max(next[partition] ?? 0, start);
    if (offset > next[partition]!) {
      logger.error(
        { topic, partition, from: next[partition], to: offset },
        'retention dropped records not yet inserted',
      );
    }
    return offset < end ? [{ partition, offset }] : [];
  });
  const maxBytes = Math.floor(BATCH_BYTES / Math.max(1, behind.length));
  const read = await Promise.all(behind.map((from) => log.read(topic, from, { maxBytes, waitMs: 0 })));
  return read.flat();
}

/** Returns a function that stores the positions that changed since it last did. */
function progressWriter(client: ClickHouseClient, positions: Record<Topic, number[]>): () => Promise<void> {
  const saved = new Map<string, number>();
  return async () => {
    const rows = Object.entries(positions).flatMap(([topic, next]) =>
      next.map((next_offset, partition) => ({ topic, partition, next_offset })),
    );
    const changed = rows.filter((row) => saved.get(`${row.topic}/${row.partition}`) !== row.next_offset);
    if (changed.length === 0) return;
    await client.insert({ table: 'sink_offsets', values: changed, format: 'JSONEachRow' });
    for (const row of changed) saved.set(`${row.topic}/${row.partition}`, row.next_offset);
  };
}
