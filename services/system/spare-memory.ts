/**
 * Memory that is no longer used, for those to come. To V8 memory got anew is a reason to mark its whole heap after each
 * 64 MB.
 */
export interface SpareMemory {
  /** The largest there is. */
  take(): Buffer | undefined;
  give(bytes: Buffer): void;
}

/** @param mostBytes kept; what is given beyond it is left to the garbage collector */
export function newSpareMemory(mostBytes: number): SpareMemory {
  /** Ascending by length. */
  const spares: Buffer[] = [];
  let kept = 0;
  return {
    take() {
      const bytes = spares.pop();
      kept -= bytes?.length ?? 0;
      return bytes;
    },
    give(bytes) {
      if (kept + bytes.length > mostBytes) return;
      const larger = spares.findIndex(({ length }) => length > bytes.length);
      spares.splice(larger < 0 ? spares.length : larger, 0, bytes);
      kept += bytes.length;
    },
  };
}
