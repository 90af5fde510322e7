import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { Figure } from './scenario.ts';

/** A scenario's figures of one run. */
export interface KeptRun {
  scenario: string;
  /** From 1 on. */
  run: number;
  /** The build that was measured. */
  commit: string;
  /** As ISO 8601 has it. */
  date: string;
  figures: Figure[];
}

/** What a file has of runs, a JSON object a line; nothing if there is none. */
export function readKeptRuns(path: string): KeptRun[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as KeptRun);
}

export function keepRun(path: string, run: KeptRun): void {
  appendFileSync(path, `${JSON.stringify(run)}\n`);
}
