/**
 * Storage of checkpoints: files under names of letters, digits, '-', '.' and slashes.
 *
 * - A put is all or nothing: no reader ever sees a part of a file.
 * - A put under a name that exists replaces its file.
 * - When a put or a removal has resolved, gets and lists agree with it.
 *
 * Failures of the store reject; adapters repeat what may pass first.
 */
export interface CheckpointStore {
  /** Uploads a local file. */
  put(name: string, path: string): Promise<void>;
  /** Downloads into a local file; false if there is no file of this name. */
  get(name: string, path: string): Promise<boolean>;
  /** Files whose names begin with `prefix`, in no order. */
  list(prefix: string): Promise<StoredFile[]>;
  /** Removes files; names that do not exist are no error. */
  remove(names: readonly string[]): Promise<void>;
}

/** Where and how often checkpoints are taken. */
export interface CheckpointSettings {
  store: CheckpointStore;
  /** Time between two checkpoints of a partition, in ms. */
  intervalMs: number;
}

export interface StoredFile {
  name: string;
  bytes: number;
  /** Time of the put by the clock of the store, in ms since 1970-01-01 UTC. */
  putAt: number;
}
