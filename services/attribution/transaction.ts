import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type PartitionProgress, PartitionProgressSchema } from '../../gen/ts/clickmesh/v1/attribution_pb.js';
import type { LogRecord, NewRecord } from '../shared/log/event-log.ts';
import { type Baseline, knownThrough } from './baseline.ts';
import type { AttributionConfig } from './config.ts';
import { addIncrements } from './counters.ts';
import { newEffects, type Tally } from './effects.ts';
import { type FoldContext, type FoldEvent, fold } from './fold.ts';
import { PROGRESS_KEY, seenKey, userKey } from './keys.ts';
import { type DeadLetter, outputRecords } from './publish.ts';
import { readEvent } from './read-event.ts';
import { newUser, type SeenId, type UserState } from './state.ts';
import { decodeUser, encodeUser } from './state-codec.ts';
import type { StateEntry, StateStore } from './state-store.ts';

/** What a batch of records leads to. */
export interface Transaction {
  /** To be published before `puts` are written: published twice is harmless, never published is not. */
  outputs: NewRecord[];
  /** State, counters and progress: to be written as one. */
  puts: StateEntry[];
  progress: PartitionProgress;
}

/** Where a partition stands; zeros for a new one. */
export function loadProgress(store: StateStore, partition: number): PartitionProgress {
  const [bytes] = store.getMany([PROGRESS_KEY]);
  return bytes === undefined
    ? create(PartitionProgressSchema, { partition })
    : fromBinary(PartitionProgressSchema, bytes);
}

/** Offset of the first record not yet folded, undefined if none was. */
export function nextOffset(progress: PartitionProgress): number | undefined {
  return progress.records === 0n ? undefined : Number(progress.version) + 1;
}

/**
 * Folds records that follow `before` on to the state in `store`, without changing the store. The outcome depends on
 * the log alone, not on where batches begin and end; but with a `baseline` a batch must not go across the records it
 * knows, see `untilBoundary`.
 */
export function transact(
  config: AttributionConfig,
  store: StateStore,
  before: PartitionProgress,
  records: readonly LogRecord[],
  baseline?: Baseline,
): Transaction {
  const { partition } = before;
  const { events, deadLetters, watermark } = readAll(records, Number(before.watermark));
  const users = loadUsers(store, events);
  const seen = loadSeen(store, users, events);
  const effects = newEffects();
  const moved: SeenId[] = [];
  for (const event of events) {
    const context: FoldContext = {
      config,
      watermark: arrivalOf(event),
      seenArrival: (kind, eventId) => seen.get(seenName({ userId: event.userId, kind, eventId })),
    };
    fold(context, users.get(event.userId)!, event, effects);
    for (const id of effects.movedOut.splice(0)) {
      moved.push(id);
      seen.set(seenName(id), id.arrival);
    }
  }
  const uncounted = effects.increments.filter(({ offset }) => offset >= (baseline?.countFrom ?? 0));
  const counters = addIncrements(store, partition, uncounted);
  const moment = { version: BigInt(records.at(-1)!.offset), watermark: BigInt(watermark) };
  const known = baseline !== undefined && moment.version <= knownThrough(baseline);
  const tallies = known ? baseline.known : advance(before, records.length, effects.tally, deadLetters.length);
  const progress = { ...tallies, ...moment };
  return {
    progress,
    outputs: outputRecords({ partition, effects, counters, deadLetters, progress: known ? undefined : progress }),
    puts: [
      ...[...users].map(([userId, user]) => ({ key: userKey(userId), value: encodeUser(user) })),
      ...moved.map((id) => ({ key: seenKey(id), value: encodeArrival(id.arrival) })),
      ...counters.map(({ key, bytes }) => ({ key, value: bytes })),
      { key: PROGRESS_KEY, value: Buffer.from(toBinary(PartitionProgressSchema, progress)) },
    ],
  };
}

function readAll(records: readonly LogRecord[], before: number) {
  const events: FoldEvent[] = [];
  const deadLetters: DeadLetter[] = [];
  let watermark = before;
  for (const record of records) {
    watermark = Math.max(watermark, record.appendTime);
    const event = readEvent(record, watermark);
    if (event.kind === 'poison') deadLetters.push({ record, reason: event.reason });
    else events.push(event);
  }
  return { events, deadLetters, watermark };
}

function arrivalOf(event: FoldEvent): number {
  return event.kind === 'click' ? event.touch.arrival : event.conversion.arrival;
}

function loadUsers(store: StateStore, events: readonly FoldEvent[]): Map<string, UserState> {
  const ids = [...new Set(events.map((event) => event.userId))];
  const stored = store.getMany(ids.map(userKey));
  return new Map(ids.map((id, i) => [id, stored[i] === undefined ? newUser() : decodeUser(stored[i])]));
}

/** Arrivals of those ids in the batch that were moved out of their user's state earlier. */
function loadSeen(store: StateStore, users: Map<string, UserState>, events: readonly FoldEvent[]) {
  const ids = events.filter((event) => users.get(event.userId)!.overflowed).map(eventIdOf);
  const stored = store.getMany(ids.map(seenKey));
  const seen = new Map<string, number>();
  stored.forEach((value, i) => {
    if (value !== undefined) seen.set(seenName(ids[i]!), decodeArrival(value));
  });
  return seen;
}

function eventIdOf(event: FoldEvent): Omit<SeenId, 'arrival'> {
  const { kind, userId } = event;
  return { kind, userId, eventId: kind === 'click' ? event.touch.clickId : event.conversion.conversionId };
}

function seenName(id: Omit<SeenId, 'arrival'>): string {
  return seenKey(id).toString();
}

export function encodeArrival(arrival: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(arrival);
  return bytes;
}

export function decodeArrival(bytes: Buffer): number {
  return bytes.readDoubleLE();
}

/** The tallies of `before` with those of a batch. */
function advance(before: PartitionProgress, records: number, tally: Tally, deadLettered: number): PartitionProgress {
  const after = {
    ...before,
    records: before.records + BigInt(records),
    deadLettered: before.deadLettered + BigInt(deadLettered),
  };
  for (const name of Object.keys(tally) as (keyof Tally)[]) after[name] += BigInt(tally[name]);
  return after;
}
