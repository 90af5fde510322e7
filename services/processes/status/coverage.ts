import { setTimeout as sleep } from 'node:timers/promises';
import { type AttributionEnvironment, attributionConfig } from '../../attribution/decision/config.ts';
import { GROUP } from '../../attribution/partition/opening.ts';
import { STREAMS, type Stream } from '../../clickhouse/streams.ts';
import type { Topic } from '../../contract/topics.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Covered, Freshness, ToldSettings } from '../../stats/deps.ts';
import type { StatusSource } from './status.ts';

/** Pause between two looks, in ms: those who ask at the same time share one. */
const WAIT_MS = 100;
/** Longest wait of one who asks after a while for what was there when it asked, in ms. */
const LONGEST_WAIT_MS = 1000;
/** Most marks that wait to be reached; of more those in between are left out. */
const MAX_MARKS = 32;

/** What attribution had published at a look, and where the topics ended then, by partition. */
interface Mark {
  published: readonly number[];
  ends: ReadonlyMap<Topic, readonly number[]>;
}

/**
 * How far what ClickHouse has goes in the log. Attribution's group tells up to where everything that follows is
 * published; where the topics end after that was read, that ends at the latest; and once the sink is there, ClickHouse
 * has all of it. Outputs go to the partition that their events came from, so each partition is looked at by itself.
 */
export class Coverage implements Freshness {
  readonly #log: EventLog;
  readonly #inserted: StatusSource['inserted'];
  readonly #now: () => number;
  #marks: Mark[] = [];
  /** By partition, offset of the first record that may be missing. */
  #offsets: number[] = [];
  /** By partition, the append time of the record at an offset. */
  readonly #times: { offset: number; time: number }[] = [];
  #look: { at: number; covered: Promise<Covered> } | undefined;

  constructor({ log, inserted }: Pick<StatusSource, 'log' | 'inserted'>, now: () => number = Date.now) {
    this.#log = log;
    this.#inserted = inserted;
    this.#now = now;
  }

  async covered(): Promise<Covered> {
    const isRecent = this.#look !== undefined && this.#now() - this.#look.at < LONGEST_WAIT_MS;
    let covered = await this.#looked();
    if (isRecent || covered.lagMs === 0) return covered;
    // Marks of before are long reached: only what is published now tells how far it is now.
    const first = this.#marks.at(-1);
    const until = this.#now() + LONGEST_WAIT_MS;
    while (first !== undefined && this.#marks.includes(first) && this.#now() < until) {
      await sleep(WAIT_MS);
      covered = await this.#looked();
    }
    return covered;
  }

  #looked(): Promise<Covered> {
    const now = this.#now();
    if (this.#look !== undefined && now - this.#look.at < WAIT_MS) return this.#look.covered;
    const covered = this.#lookNow(now);
    this.#look = { at: now, covered };
    covered.catch(() => {
      this.#look = undefined;
    });
    return covered;
  }

  async #lookNow(now: number): Promise<Covered> {
    const acknowledged = await this.#log.offsets('raw-events');
    await this.#mark();
    const insertedOf = async ({ topic }: Stream) => [topic, await this.#inserted(topic)] as const;
    const inserted = new Map(await Promise.all(STREAMS.map(insertedOf)));
    const partitions = acknowledged.map((_, partition) => partition);
    for (const partition of partitions) {
      const reached = this.#marks.findLast((mark) => isReached(mark, inserted, partition));
      this.#offsets[partition] = Math.max(this.#offsets[partition] ?? 0, reached?.published[partition] ?? 0);
    }
    this.#marks = this.#marks.filter((mark) => !partitions.every((each) => isReached(mark, inserted, each)));
    const times = acknowledged.map(({ start, end }, partition) => {
      const offset = Math.max(start, this.#offsets[partition]!);
      return offset >= end ? now : this.#timeOf(partition, offset);
    });
    const completeThrough = Math.min(now, ...(await Promise.all(times)));
    const ends = acknowledged.map(({ end }) => end);
    return { offsets: [...this.#offsets], ends, completeThrough, lagMs: now - completeThrough };
  }

  async #mark(): Promise<void> {
    const published: number[] = [];
    for (const { partition, offset } of await this.#log.committed('raw-events', GROUP)) published[partition] = offset;
    const endsOf = async ({ topic }: Stream) => {
      if (topic === 'raw-events') return [topic, published] as const;
      return [topic, (await this.#log.offsets(topic)).map(({ end }) => end)] as const;
    };
    const ends = new Map(await Promise.all(STREAMS.map(endsOf)));
    this.#marks.push({ published, ends });
    if (this.#marks.length > MAX_MARKS) this.#marks.splice(MAX_MARKS / 2, 1);
  }

  /** When the first record came that may be missing, in ms since 1970-01-01 UTC. */
  async #timeOf(partition: number, offset: number): Promise<number> {
    const known = this.#times[partition];
    if (known?.offset === offset) return known.time;
    const [record] = await this.#log.read('raw-events', { partition, offset }, { maxBytes: 1, waitMs: 0 });
    const time = record?.appendTime ?? this.#now();
    this.#times[partition] = { offset, time };
    return time;
  }
}

function isReached(
  { ends }: Mark,
  inserted: ReadonlyMap<Topic, readonly (number | undefined)[]>,
  partition: number,
): boolean {
  for (const [topic, end] of ends) {
    if ((inserted.get(topic)?.[partition] ?? 0) < (end[partition] ?? 0)) return false;
  }
  return true;
}

/** What reports tell of a mesh with these settings. */
export function toldBy(attribution: AttributionEnvironment, currency: string): ToldSettings {
  const { retentionMs } = attributionConfig(attribution);
  return { changesForMs: retentionMs.touch, correctionsForMs: retentionMs.correction, currency };
}
