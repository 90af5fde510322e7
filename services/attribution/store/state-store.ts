/**
 * Where one partition's state lives.
 *
 * - A write is all or nothing, and later writes never survive a crash that earlier ones do not.
 * - A write need not be durable when it returns: whatever a crash loses is folded again from the log.
 * - A write copies what it is given.
 * - Only one store may be open on a place.
 */
export interface StateStore {
  /**
   * Values in the order of the keys, for the caller to keep and change.
   *
   * @param areScattered whether what is stored near them will hardly be asked for soon, so that it need not be cached
   */
  getMany(keys: readonly Buffer[], areScattered?: boolean): (Buffer | undefined)[];
  write(changes: StateChanges): void;
  /** Forgets all entries with `from <= key < to`, in less time than a write of each; not before earlier writes. */
  drop(from: Buffer, to: Buffer): void;
  /** Up to `limit` entries with `from <= key < to`, ascending. */
  scan(from: Buffer, to: Buffer, limit: number): StateEntry[];
  /** As `scan`, but descending: the last ones. */
  scanBack(from: Buffer, to: Buffer, limit: number): StateEntry[];
  /** About what it takes on disk, but for the newest writes. */
  bytes(): number;
  close(): Promise<void>;
}

/** Where a node keeps the stores of its partitions, each in a place of its own. */
export interface StateStores {
  /** Opens a partition's store, an empty one if there is none. Throws if it is open already. */
  open(partition: number): Promise<StateStore>;
  /**
   * Replaces a partition's store, which must be closed, by one of the files that `fill` puts into an empty folder; by
   * an empty one if it puts none. If `fill` rejects, so does this, and nothing is replaced.
   */
  replace(partition: number, fill: (folder: string) => Promise<void>): Promise<void>;
  /**
   * A folder with the files of a partition's store, which must be closed, as they are now. Takes neither time nor
   * space: files are hard links. The caller removes it; the next one replaces it.
   */
  snapshot(partition: number): Promise<string>;
}

export interface StateEntry {
  key: Buffer;
  value: Buffer;
}

/** Entries read at once, some of which may be some ten kilobytes. */
const SLICE = 200;

/** All entries with `from <= key < to`, ascending, read a slice at a time. */
export function* entriesBetween(store: StateStore, from: Buffer, to: Buffer): Generator<StateEntry> {
  for (let cursor: Buffer = from; ; ) {
    const slice = store.scan(cursor, to, SLICE);
    yield* slice;
    if (slice.length < SLICE) return;
    cursor = keyAfter(slice.at(-1)!.key);
  }
}

/** The least key that is greater. */
export function keyAfter(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.of(0)]);
}

/** Done in this order. An entry's bytes count until the next one is taken. */
export interface StateChanges {
  deletes: Iterable<Buffer>;
  puts: Iterable<StateEntry>;
  /** Bytes to add at the end of values. */
  appends: Iterable<StateEntry>;
}
