import type { SpilledId } from '../decision/state.ts';

/**
 * What lies in the store under the id of an event that is not in its user's state, little-endian: arrival f64 | digest
 * i32; if the event lies beside the state, before both when it happened, f64, in ms.
 */
const ID_BYTES = 12;
const TIME_BYTES = 8;
const DIGEST = 8;

/** @param time when it happened that lies beside the state, in ms; undefined of others */
export function storedId({ arrival, digest }: SpilledId, time?: number): Buffer {
  const start = time === undefined ? 0 : TIME_BYTES;
  const entry = Buffer.allocUnsafe(start + ID_BYTES);
  if (time !== undefined) entry.writeDoubleLE(time, 0);
  entry.writeDoubleLE(arrival, start);
  entry.writeInt32LE(digest, start + DIGEST);
  return entry;
}

export function readStoredId(entry: Buffer): SpilledId {
  return { arrival: arrivalOfId(entry), digest: entry.readInt32LE(entry.length - ID_BYTES + DIGEST) };
}

export function arrivalOfId(entry: Buffer): number {
  return entry.readDoubleLE(entry.length - ID_BYTES);
}

/** When an event happened that lies beside its user's state, in ms. */
export function timeOfPlace(entry: Buffer): number {
  return entry.readDoubleLE(0);
}
