/** Buffers that are used again: V8 starts a full mark after every 64 MB of newly allocated external memory. */
export interface SpareMemory {
  /** Takes out the largest buffer; undefined if there is none. */
  take(): Buffer | undefined;
  give(bytes: Buffer): void;
}

/** @param mostBytes most bytes kept; buffers given beyond it are left to the garbage collector */
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
