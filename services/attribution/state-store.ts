/**
 * Where one partition's state lives.
 *
 * - A write is all or nothing, and later writes never survive a crash that earlier ones do not.
 * - A write need not be durable when it returns: whatever a crash loses is folded again from the log.
 * - Only one store may be open on a place.
 */
export interface StateStore {
  /** Values in the order of the keys. */
  getMany(keys: readonly Buffer[]): (Buffer | undefined)[];
  write(changes: StateChanges): void;
  /** Up to `limit` entries with `from <= key < to`, ascending. */
  scan(from: Buffer, to: Buffer, limit: number): StateEntry[];
  close(): Promise<void>;
}

export interface StateEntry {
  key: Buffer;
  value: Buffer;
}

/** A key that is in both is put. */
export interface StateChanges {
  deletes: readonly Buffer[];
  puts: readonly StateEntry[];
}
