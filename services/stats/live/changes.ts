import { createHash } from 'node:crypto';
import type { FieldError } from '../requests/field-error.ts';
import type { Look } from './shared-looks.ts';

const DEFAULT_PERIOD_MS = 1000;
const MIN_PERIOD_MS = 200;
const MAX_PERIOD_MS = 60_000;

/** Time between looks in ms. */
export function parsePeriod(periodMs: number): number | FieldError {
  if (periodMs === 0) return DEFAULT_PERIOD_MS;
  if (periodMs >= MIN_PERIOD_MS && periodMs <= MAX_PERIOD_MS) return periodMs;
  return { field: 'period_ms', message: `period_ms is not in [${MIN_PERIOD_MS}, ${MAX_PERIOD_MS}]` };
}

/** What was read, and what stands for it where somebody asks whether it has changed. */
export interface Change<T> {
  value: T;
  cursor: string;
}

/** Reads again and again: what is as it was before is nothing new, and of two changes the newer is enough. */
export function changesOf<T>(
  read: (signal: AbortSignal) => Promise<T>,
  bytesOf: (value: T) => Uint8Array,
  periodMs: number,
): Look<Change<T>> {
  let last: string | undefined;
  return {
    async next(signal) {
      const value = await read(signal);
      const cursor = cursorOf(bytesOf(value));
      if (cursor === last) return undefined;
      last = cursor;
      return { value, cursor };
    },
    merge: (_, next) => next,
    remember: (_, next) => next,
    periodMs,
  };
}

/** Stands for what was read: 22 letters of its SHA-256. */
export function cursorOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
}
