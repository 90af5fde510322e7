/**
 * Where one partition's state lives.
 *
 * - A write is all or nothing, and later writes never survive a crash that earlier ones do not.
 * - A write need not be durable when it returns: whatever a crash loses is folded again from the log.
 * - A write copies what it is given.
 * - Only one store may be open on a place.
 */
export interface StateStore {
  /** Values in the order of the keys, for the caller to keep and change. */
  getMany(keys: readonly Buffer[]): (Buffer | undefined)[];
  write(changes: StateChanges): void;
  /** Up to `limit` entries with `from <= key < to`, ascending. */
  scan(from: Buffer, to: Buffer, limit: number): StateEntry[];
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

/** Done in this order. An entry's bytes count until the next one is taken. */
export interface StateChanges {
  deletes: Iterable<Buffer>;
  puts: Iterable<StateEntry>;
  /** Bytes to add at the end of values. */
  appends: Iterable<StateEntry>;
}
