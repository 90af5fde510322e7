import { closeSync, openSync, writeSync } from 'node:fs';

/** One line of a rejects file. */
export interface RejectedLine {
  /** Line of the input, from 1. */
  line: number;
  /** The reject reason in lower case, such as "too_long". */
  reason: string;
  field?: string;
  message: string;
  /** The line itself, unless it is too long. */
  input?: string;
}

/** An NDJSON file, created or emptied with its first line. Throws the system's error if it can't be written. */
export function openRejectFile(path: string) {
  let file: number | undefined;
  return {
    write(rejected: RejectedLine) {
      file ??= openSync(path, 'w');
      writeSync(file, `${JSON.stringify(rejected)}\n`);
    },
    close() {
      if (file !== undefined) closeSync(file);
    },
  };
}
