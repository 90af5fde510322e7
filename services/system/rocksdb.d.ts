/** The part of @nxtedition/rocksdb in use; the package ships no types. Its synchronous calls begin with _. */
declare module '@nxtedition/rocksdb' {
  export interface OpenOptions {
    keyEncoding: 'buffer';
    valueEncoding: 'buffer';
    createIfMissing?: boolean;
    compaction?: 'level' | 'universal';
    /** Bytes. */
    memtableMemoryBudget?: number;
    /** Bytes. */
    cacheSize?: number;
    compression?: boolean;
    /** As RocksDB's MergeOperator::CreateFromString reads it. */
    mergeOperator?: string;
    walCompression?: boolean;
    /** Tunes for gets by whole keys: memtable filters, hashes in data blocks, a Ribbon filter without filterPolicy. */
    optimize?: 'point-lookup';
    /** As RocksDB's FilterPolicy::CreateFromString reads it. */
    filterPolicy?: string;
    parallelism?: number;
  }

  export interface RangeOptions {
    keyEncoding: 'buffer';
    valueEncoding: 'buffer';
    gte?: Buffer;
    lt?: Buffer;
    lte?: Buffer;
    reverse?: boolean;
    limit?: number;
    /** Stop after about this many bytes. */
    highWaterMarkBytes?: number;
  }

  export interface Batch {
    _put(key: Buffer, value: Buffer, options: object): void;
    _del(key: Buffer, options: object): void;
    _merge(key: Buffer, value: Buffer, options: object): void;
    _writeSync(options: { sync: boolean }): void;
    /** Empties it for the next use. A batch stays attached to its database, so a new one for each write would leak. */
    _clear(): void;
    /** Lets the database forget it; its memory goes with the object. */
    close(): Promise<void>;
  }

  export class RocksLevel {
    /** A folder, or the handle of a database that another thread of this process has open. */
    constructor(location: string | bigint, options: OpenOptions);
    readonly handle: bigint;
    open(): Promise<void>;
    close(): Promise<void>;
    batch(): Batch;
    _getManySync(
      keys: readonly Buffer[],
      options: { valueEncoding: 'buffer'; fillCache?: boolean },
    ): (Buffer | undefined)[];
    /** Keys and values in turn. */
    querySync(options: RangeOptions): { rows: Buffer[] };
    /** Deletes a range. */
    clear(options: RangeOptions): Promise<void>;
    /** Deletes a range before it returns. */
    _clear(options: { gte: Buffer; lt: Buffer }, callback: (error: Error | null) => void): void;
    getProperty(name: string): string;
  }
}
