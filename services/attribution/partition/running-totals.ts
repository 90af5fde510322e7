import type { PartitionProgress } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { EVENT_TYPES } from '../../contract/event-rules.ts';
import type { Effects, Totals } from '../decision/effects.ts';
import { KINDS } from '../decision/kinds.ts';
import { type PublishedTotals, publishedThrough } from '../recovery/published-totals.ts';

/** What a batch adds to the totals. */
interface Batch {
  records: number;
  effects: Effects;
  deadLetters: number;
  /** Whether no record is folded in part: else totals may be less than 0, as that has not all of what others take. */
  isWhole: boolean;
}

/** The totals of one partition while it is folded, and whether they are published. */
export class RunningTotals {
  /** Totals, version and watermark after the last record folded. */
  progress: PartitionProgress;
  /** Those that the store was rebuilt with, which include records through an offset. */
  readonly #published: PublishedTotals | undefined;
  readonly #through: number;
  #taken: PartitionProgress;

  constructor(before: PartitionProgress, published: PublishedTotals | undefined) {
    this.progress = this.#taken = before;
    this.#published = published;
    this.#through = publishedThrough(published);
  }

  /** Moves on to the last record of a batch. @param watermark the partition's clock then, in ms */
  moveOn(last: number, watermark: number, batch: Batch): void {
    const totals = last <= this.#through ? this.#published!.totals : advance(this.progress, batch);
    this.progress = { ...totals, version: BigInt(last), watermark: BigInt(watermark) };
  }

  /** Adds another part of what follows from a record. */
  add(offset: number, effects: Effects, isWhole: boolean): void {
    if (offset <= this.#through) return;
    this.progress = advance(this.progress, { records: 0, effects, deadLetters: 0, isWhole });
  }

  /** The totals, if they have not been published or taken. */
  take(): PartitionProgress[] {
    const isPublished = Number(this.progress.version) <= this.#through;
    if (isPublished || this.progress === this.#taken) return [];
    this.#taken = this.progress;
    return [this.progress];
  }

  /** Takes them as published. */
  discard(): void {
    this.#taken = this.progress;
  }
}

/** The totals of `before` with those of a batch. */
function advance(before: PartitionProgress, { records, effects, deadLetters, isWhole }: Batch): PartitionProgress {
  const { totals, duplicates } = effects;
  const after = {
    ...before,
    records: before.records + BigInt(records),
    deadLettered: before.deadLettered + BigInt(deadLetters),
  };
  for (const name of Object.keys(totals) as (keyof Totals)[]) {
    const total = after[name] + BigInt(totals[name]);
    // A state that was rebuilt from a part of the log may take back what its totals have not counted as such.
    after[name] = isWhole && total < 0n ? 0n : total;
  }
  for (const type of EVENT_TYPES) after[KINDS[type].duplicates] += BigInt(duplicates[type]);
  return after;
}
