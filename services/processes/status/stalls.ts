import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Topic } from '../../contract/topics.ts';
import type { EventLog, OffsetRange } from '../../log/event-log.ts';

/** Time without progress after which records that wait count as stalled, in ms: twice the longest between flushes. */
const STALL_MS = 60_000;

/** What goes through topics of the log, record by record: until both have, an event is not in the stats. */
export type Reader = 'attribution' | 'ClickHouse';

/** A partition of a topic that its reader does not go on in. */
export interface Stall {
  reader: Reader;
  topic: Topic;
  partition: number;
  /** Offset of the first record that is not folded, or inserted. */
  offset: number;
  /** Records that wait. */
  waiting: number;
  /** When it last went on, or its records began to wait, in ms since 1970-01-01 UTC. */
  since: number;
  reason: string;
}

/** An end of the readers. */
export interface Failure {
  reason: string;
  /** In ms since 1970-01-01 UTC. */
  at: number;
}

/** How far a reader is in a partition. */
export interface Position {
  /** Offset of the first record not folded, or inserted; undefined while it is not known. */
  nextOffset: number | undefined;
  /** Why it does not go on, where that is known. */
  trouble?: string | undefined;
  /** Why it failed the last time, where it did since it last went on: it tries again. */
  lastError?: string | undefined;
}

/** How far a reader is in a topic. */
export interface Reading {
  reader: Reader;
  topic: Topic;
  /** By partition, without those that nothing is known of. */
  positions: readonly (Position | undefined)[];
}

export interface StallSource {
  log: EventLog;
  /** Those of attribution first, as others wait for it. */
  readings(): Promise<readonly Reading[]>;
  /** The latest failure of all readers, if they are known to have failed. */
  failure?(): Failure | undefined;
}

export interface Stalls {
  /** Those of now, by reader, topic and partition. */
  list(): readonly Stall[];
  /** What to tell people of them, or those of one reader, in one line of ASCII; undefined if there are none. */
  notice(reader?: Reader): string | undefined;
}

/** How the readers go on, as far as it was seen. */
export class StallWatch implements Stalls {
  readonly #source: StallSource;
  /** By reader, topic and partition. */
  readonly #seen = new Map<string, { nextOffset: number; since: number }>();
  #stalls: readonly Stall[] = [];

  constructor(source: StallSource) {
    this.#source = source;
  }

  list(): readonly Stall[] {
    return this.#stalls;
  }

  notice(reader?: Reader): string | undefined {
    const stalls = reader === undefined ? this.#stalls : this.#stalls.filter((stall) => stall.reader === reader);
    return stalls.length === 0 ? undefined : noticeOf(stalls);
  }

  /** @param now in ms since 1970-01-01 UTC. Throws LogUnavailable. */
  async look(now: number): Promise<void> {
    const readings = await this.#source.readings();
    const topics = new Set(readings.map(({ topic }) => topic));
    const rangesOf = async (topic: Topic) => [topic, await this.#source.log.offsets(topic)] as const;
    const ranges = new Map(await Promise.all([...topics].map(rangesOf)));
    this.#stalls = readings.flatMap((reading) => this.#stallsOf(reading, ranges.get(reading.topic)!, now));
  }

  #stallsOf({ reader, topic, positions }: Reading, ranges: readonly OffsetRange[], now: number): Stall[] {
    const failure = this.#source.failure?.();
    return ranges.flatMap(({ start, end }, partition) => {
      const key = `${reader} ${topic} ${partition}`;
      const seen = this.#seen.get(key) ?? { nextOffset: 0, since: now };
      this.#seen.set(key, seen);
      const { nextOffset = seen.nextOffset, trouble, lastError } = positions[partition] ?? {};
      const offset = Math.max(start, seen.nextOffset, nextOffset);
      if (offset > seen.nextOffset || offset >= end) Object.assign(seen, { nextOffset: offset, since: now });
      const hasFailed = failure !== undefined && failure.at >= seen.since;
      const known = trouble ?? (hasFailed ? failure.reason : undefined);
      if (offset >= end || (known === undefined && now - seen.since < STALL_MS)) return [];
      const reason = known ?? lastError ?? `no progress for ${Math.floor((now - seen.since) / 1000)} s`;
      return [{ reader, topic, partition, offset, waiting: end - offset, since: seen.since, reason }];
    });
  }
}

/** Looks periodically until `closing` aborts, and says when a reader stops to go on, and when all do again. */
export function watchStalls(
  source: StallSource,
  { everyMs, say, logger }: { everyMs: number; say: (line: string) => void; logger: Logger },
  closing: AbortSignal,
): Stalls {
  const watch = new StallWatch(source);
  void keepLooking();
  return watch;

  async function keepLooking(): Promise<void> {
    while (!closing.aborted) {
      const before = watch.notice();
      await watch
        .look(Date.now())
        .catch((err) => logger.debug({ err }, 'could not look whether attribution and ClickHouse go on'));
      const notice = watch.notice();
      if (before === undefined && notice !== undefined) say(notice);
      else if (before !== undefined && notice === undefined) say('attribution and ClickHouse go on');
      await sleep(everyMs, undefined, { signal: closing, ref: false }).catch(() => {});
    }
  }
}

function noticeOf(stalls: readonly Stall[]): string {
  const { reader, topic, partition, offset, waiting, since, reason } = stalls[0]!;
  const others = stalls.length === 1 ? '' : ` and ${stalls.length - 1} more`;
  const time = new Date(since).toISOString();
  const of = reader === 'attribution' ? '' : `${topic}, `;
  const where = `${of}partition ${partition}${others}, offset ${offset}, ${waiting} waiting, since ${time}`;
  return `${reader} does not go on: ${where}: ${asAscii(reason)}; events are kept and will be counted`;
}

/** Header values are ASCII. */
function asAscii(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?');
}
