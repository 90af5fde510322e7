/**
 * Where checkpoints are kept: files under names of letters, digits, '-', '.' and slashes.
 *
 * - A put is all or nothing: no reader ever sees a part of a file.
 * - What is put under a name that exists replaces what is there.
 * - When a put or a removal has resolved, gets and lists agree with it.
 *
 * Failures of the store reject; adapters repeat what may pass first.
 */
export interface CheckpointStore {
  /** Uploads a local file. */
  put(name: string, path: string): Promise<void>;
  /** Downloads into a local file; false if there is none of this name. */
  get(name: string, path: string): Promise<boolean>;
  /** Everything whose name begins so, in no order. */
  list(prefix: string): Promise<StoredFile[]>;
  /** Names that do not exist are no error. */
  remove(names: readonly string[]): Promise<void>;
}

export interface StoredFile {
  name: string;
  bytes: number;
  /** When it was put, in ms since 1970-01-01 UTC, by the clock of the store. */
  putAt: number;
}
