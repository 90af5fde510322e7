import { once } from 'node:events';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { RocksLevel } from '@nxtedition/rocksdb';
import { MAX_IN_FLIGHT_BYTES } from '../../contract/limits.ts';
import { type EventLog, type LogRecord, LogUnavailable } from '../event-log.ts';
import { openAppender } from './append.ts';
import { CLOSE } from './group-commit.ts';
import {
  endMoved,
  endOf,
  offsetMemory,
  offsetTable,
  publishEnd,
  publishStart,
  slotOf,
  startOf,
} from './offset-table.ts';
import { readFrom } from './read.ts';
import type { RetentionLimits } from './retention.ts';
import { BUFFERS, committedEntry, openStore, orClose, readCommitted, recover } from './store.ts';
import type { WriterData, WriterMessage } from './writer.ts';

export interface EmbeddedLogOptions extends RetentionLimits {
  /** Folder of the log alone; created if missing. */
  dir: string;
  /** Partitions of every topic, fixed when the folder is first opened. */
  partitions: number;
  /** Bytes of keys and values that each thread may have waiting; MAX_IN_FLIGHT_BYTES by default. */
  maxInFlightBytes?: number;
}

const ONLY_MEMBER = 'embedded';

/** Takes the log to another thread of the process: `worker.postMessage(share, [share.port])`. For one thread only. */
export interface EmbeddedLogShare {
  handle: bigint;
  offsets: SharedArrayBuffer;
  partitions: number;
  maxInFlightBytes: number;
  port: MessagePort;
}

/** The log in the thread that opened it; its close() waits until every thread it was shared with has closed it too. */
export interface EmbeddedLog extends EventLog {
  share(): EmbeddedLogShare;
}

/**
 * Opens the log of one process, in RocksDB. Throws, with one line for the operator, if another process has it open, it
 * has another number of partitions, it can't be read, or it has lost records that were acknowledged.
 *
 * When the disk is full appends reject with LogUnavailable; a few seconds after there is room they work again. After
 * other disk errors they reject until the log is opened anew.
 */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
  const { dir, partitions, retentionMs, retentionBytes, maxInFlightBytes = MAX_IN_FLIGHT_BYTES } = options;
  const db = await openStore(dir, partitions);
  const states = await orClose(db, () => recover(db, dir, partitions));
  const offsets = offsetMemory(states.length);
  for (const [slot, { start, end }] of states.entries()) {
    publishStart(offsetTable(offsets), slot, start);
    publishEnd(offsetTable(offsets), slot, end);
  }
  const retention = { retentionMs, retentionBytes };
  const workerData: WriterData = { handle: db.handle, offsets, dir, partitions, states, retention };
  const writer = new Worker(new URL('./writer.ts', import.meta.url), { workerData });
  const tell = (message: WriterMessage, transfer: MessagePort[]) => writer.postMessage(message, transfer);

  function share(): EmbeddedLogShare {
    const { port1, port2 } = new MessageChannel();
    tell({ port: port1 }, [port1]);
    return { handle: db.handle, offsets, partitions, maxInFlightBytes, port: port2 };
  }

  const log = await attachEmbeddedLog(share());
  let closed: Promise<void> | undefined;
  async function close(): Promise<void> {
    const stopped = once(writer, 'exit');
    tell(CLOSE, []);
    await log.close();
    await stopped;
    await db.close();
  }
  return {
    ...log,
    share,
    close() {
      closed ??= close();
      return closed;
    },
  };
}

/**
 * The log in another thread. It must be closed here before, or when, the opening thread closes it. A group has one
 * member at a time, which is assigned every partition.
 */
export async function attachEmbeddedLog(share: EmbeddedLogShare): Promise<EventLog> {
  const { partitions, port } = share;
  // The handle belongs to the opening thread: closing this object would close the database under all threads.
  const db = new RocksLevel(share.handle, BUFFERS);
  await db.open();
  const offsets = offsetTable(share.offsets);
  const appender = openAppender(port, partitions, share.maxInFlightBytes);
  const closing = new AbortController();
  const readable = { db, offsets, partitions };
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  /** Ends of partitions as of their latest read in this thread, by slot. */
  const seen: number[] = [];

  function readNow(slot: number, offset: number, maxBytes: number): LogRecord[] {
    seen[slot] = endOf(offsets, slot);
    return readFrom(readable, slot, offset, maxBytes);
  }

  const log: EventLog = {
    append: appender.append,
    async read(topic, from, { maxBytes, waitMs, signal }) {
      if (closing.signal.aborted) throw new LogUnavailable('The log is closed');
      const slot = slotOf(topic, from.partition, partitions);
      const records = readNow(slot, from.offset, maxBytes);
      if (records.length > 0 || waitMs <= 0) return records;
      const stop = signal === undefined ? closing.signal : AbortSignal.any([closing.signal, signal]);
      await endMoved(offsets, slot, from.offset, waitMs, stop);
      return closing.signal.aborted ? [] : readNow(slot, from.offset, maxBytes);
    },
    endSeen: (topic, partition) => seen[slotOf(topic, partition, partitions)] ?? 0,
    async offsets(topic) {
      return all.map((partition) => {
        const slot = slotOf(topic, partition, partitions);
        return { start: startOf(offsets, slot), end: endOf(offsets, slot) };
      });
    },
    committed: async (topic, group) => readCommitted(db, topic, group, partitions),
    async join(topic, group, listener) {
      await listener.assigned(all);
      return {
        name: ONLY_MEMBER,
        members: async () => [{ name: ONLY_MEMBER, partitions: all }],
        commit: (positions) => appender.put(positions.map((position) => committedEntry(topic, group, position))),
        close: () => listener.revoked(all),
      };
    },
    async close() {
      closing.abort();
      await appender.close();
    },
  };
  port.on('message', (message) => {
    if (message === CLOSE) log.close();
  });
  return log;
}
