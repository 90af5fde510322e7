import { closeSync, constants, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';

/**
 * A file beside the database with the next offset of every partition, written before an append is acknowledged.
 *
 *     by slot: offset u64 | crc32 u32 | unused u32, big-endian
 *
 * After a crash RocksDB keeps its write-ahead log up to the last intact entry, without a word about entries lost to a
 * bad disk. This file makes such a loss visible. It is not fsynced: a crash of processes leaves it complete, and after
 * a loss of power it may be older, which only makes it demand less. No slot crosses a sector, so each is old or new.
 */
const SLOT_BYTES = 16;

/** Next offsets in the file, by slot; 0 for slots it lacks, all if there is no file. Throws if it is damaged. */
export function readAcknowledged(path: string, slots: number): number[] {
  const bytes = readIfPresent(path);
  return Array.from({ length: slots }, (_, slot) => {
    const at = slot * SLOT_BYTES;
    if (at + SLOT_BYTES > bytes.length) return 0;
    if (bytes.readUInt32BE(at + 8) !== slotChecksum(bytes, slot)) {
      throw new Error(
        `${path} is damaged: delete it to open the log without checking that nothing acknowledged is lost`,
      );
    }
    return Number(bytes.readBigUInt64BE(at));
  });
}

/** Notes new next offsets, by slot. Throws if the file can't be written. */
export type Acknowledge = (ends: Iterable<readonly [slot: number, end: number]>) => void;

/** Creates or overwrites the file with the next offsets that the log has, by slot. */
export function openAcknowledged(path: string, ends: readonly number[]): Acknowledge {
  const bytes = Buffer.alloc(ends.length * SLOT_BYTES);
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644);
  const acknowledge: Acknowledge = (changes) => {
    for (const [slot, end] of changes) {
      bytes.writeBigUInt64BE(BigInt(end), slot * SLOT_BYTES);
      bytes.writeUInt32BE(slotChecksum(bytes, slot), slot * SLOT_BYTES + 8);
    }
    writeSync(file, bytes, 0, bytes.length, 0);
  };
  acknowledge(ends.entries());
  // Later writes go to blocks that the file already has.
  fsyncSync(file);
  syncFolder(dirname(path));
  return acknowledge;
}

function readIfPresent(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

function slotChecksum(bytes: Buffer, slot: number): number {
  return crc32(bytes.subarray(slot * SLOT_BYTES, slot * SLOT_BYTES + 8), slot);
}

function syncFolder(path: string): void {
  const folder = openSync(path, constants.O_RDONLY);
  fsyncSync(folder);
  closeSync(folder);
}
