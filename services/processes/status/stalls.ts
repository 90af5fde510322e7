import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { EventLog } from '../../log/event-log.ts';

/** Time without progress after which records that wait count as stalled, in ms: twice the longest between flushes. */
const STALL_MS = 60_000;

/** A partition of raw-events that attribution does not go on in. */
export interface Stall {
  partition: number;
  /** Offset of the first record that is not folded. */
  offset: number;
  /** Records that wait. */
  waiting: number;
  /** When it last went on, or its records began to wait, in ms since 1970-01-01 UTC. */
  since: number;
  reason: string;
}

/** An end of what folds. */
export interface Failure {
  reason: string;
  /** In ms since 1970-01-01 UTC. */
  at: number;
}

/** How far attribution is in a partition. */
export interface Position {
  /** Offset of the first record not folded; undefined while it is not known. */
  nextOffset: number | undefined;
  /** Why it does not go on, where that is known. */
  trouble?: string | undefined;
}

export interface StallSource {
  log: EventLog;
  /** By partition, without those that nothing is known of. */
  positions(): Promise<readonly (Position | undefined)[]>;
  /** The latest failure of what folds all partitions, if it is known to have failed. */
  failure?(): Failure | undefined;
}

export interface Stalls {
  /** Those of now, by partition. */
  list(): readonly Stall[];
  /** What to tell people of them, in one line of ASCII; undefined if there are none. */
  notice(): string | undefined;
}

/** The partitions that attribution goes on in, as far as it was seen. */
export class StallWatch implements Stalls {
  readonly #source: StallSource;
  readonly #seen: { nextOffset: number; since: number }[] = [];
  #stalls: readonly Stall[] = [];
  #notice: string | undefined;

  constructor(source: StallSource) {
    this.#source = source;
  }

  list(): readonly Stall[] {
    return this.#stalls;
  }

  notice(): string | undefined {
    return this.#notice;
  }

  /** @param now in ms since 1970-01-01 UTC. Throws LogUnavailable. */
  async look(now: number): Promise<void> {
    const [ranges, positions] = await Promise.all([this.#source.log.offsets('raw-events'), this.#source.positions()]);
    const failure = this.#source.failure?.();
    this.#stalls = ranges.flatMap(({ start, end }, partition) => {
      const seen = this.#seen[partition] ?? { nextOffset: 0, since: now };
      this.#seen[partition] = seen;
      const { nextOffset = seen.nextOffset, trouble } = positions[partition] ?? {};
      const offset = Math.max(start, seen.nextOffset, nextOffset);
      if (offset > seen.nextOffset || offset >= end) Object.assign(seen, { nextOffset: offset, since: now });
      const hasFailed = failure !== undefined && failure.at >= seen.since;
      const known = trouble ?? (hasFailed ? failure.reason : undefined);
      if (offset >= end || (known === undefined && now - seen.since < STALL_MS)) return [];
      const reason = known ?? `no progress for ${Math.floor((now - seen.since) / 1000)} s`;
      return [{ partition, offset, waiting: end - offset, since: seen.since, reason }];
    });
    this.#notice = this.#stalls.length === 0 ? undefined : noticeOf(this.#stalls);
  }
}

/** Looks periodically until `closing` aborts, and says when attribution stops to go on, and when it does again. */
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
      await watch.look(Date.now()).catch((err) => logger.debug({ err }, 'could not look whether attribution goes on'));
      const notice = watch.notice();
      if (before === undefined && notice !== undefined) say(notice);
      else if (before !== undefined && notice === undefined) say('attribution goes on');
      await sleep(everyMs, undefined, { signal: closing, ref: false }).catch(() => {});
    }
  }
}

function noticeOf(stalls: readonly Stall[]): string {
  const { partition, offset, waiting, since, reason } = stalls[0]!;
  const others = stalls.length === 1 ? '' : ` and ${stalls.length - 1} more`;
  const time = new Date(since).toISOString();
  const where = `partition ${partition}${others}, offset ${offset}, ${waiting} waiting, since ${time}`;
  return `attribution does not go on: ${where}: ${asAscii(reason)}; events are kept and will be counted`;
}

/** Header values are ASCII. */
function asAscii(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?');
}
