/**
 * Memory that is no longer used, for those to come. To V8 memory got anew is a reason to mark its whole heap after each
 * 64 MB.
 */
export interface SpareMemory {
  take(): Buffer | undefined;
  give(bytes: Buffer): void;
}

/** @param mostBytes kept; what is given beyond it is left to the garbage collector */
export function newSpareMemory(mostBytes: number): SpareMemory {
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
      spares.push(bytes);
      kept += bytes.length;
    },
  };
}
