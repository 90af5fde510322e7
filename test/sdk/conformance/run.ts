import { join } from 'node:path';
import { startMeshProcess, temporaryFolder } from '../../fixtures/mesh-process.ts';
import { type Checks, startCase } from './case.ts';
import { ATTEMPTS } from './checks-attempts.ts';
import { CLOSING } from './checks-closing.ts';
import { COPIES } from './checks-copies.ts';
import { EVENT_CHECKS } from './checks-events.ts';
import { OPTIONS } from './checks-options.ts';
import { PAGES } from './checks-pages.ts';
import { QUEUE } from './checks-queue.ts';
import { REPORTS } from './checks-reports.ts';
import { type LanguageName, Skipped } from './driver.ts';
import { type StoredEvents, storedEvents } from './stored.ts';

/** What each statement is held to. */
export const CHECKS: Checks = {
  ...COPIES,
  ...EVENT_CHECKS,
  ...QUEUE,
  ...ATTEMPTS,
  ...CLOSING,
  ...PAGES,
  ...REPORTS,
  ...OPTIONS,
};

/** What became of a statement in a language; `why` is empty where it holds. */
export interface Outcome {
  verdict: 'holds' | 'fails' | 'skipped';
  why: string;
}

/** One mesh for all statements and languages: each counts what it sent itself. */
export interface SharedMesh extends AsyncDisposable {
  try(language: LanguageName, statement: string): Promise<Outcome>;
}

export async function startSharedMesh(): Promise<SharedMesh> {
  const folder = temporaryFolder();
  const mesh = await startMeshProcess(join(folder.path, 'data'));
  const events = await storedEvents(() => mesh.url);
  return {
    try: (language, statement) => tryStatement(language, statement, mesh.url, events),
    async [Symbol.asyncDispose]() {
      await events[Symbol.asyncDispose]();
      await mesh.kill();
      folder[Symbol.dispose]();
    },
  };
}

/** Longest time of a statement, in ms: a client that hangs fails it. */
const TIMEOUT_MS = 300_000;

async function tryStatement(
  language: LanguageName,
  statement: string,
  url: string,
  events: StoredEvents,
): Promise<Outcome> {
  await using one = startCase(language, statement, url, events);
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`not done in ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS);
  try {
    await Promise.race([CHECKS[statement]!(one), late.promise]);
    return { verdict: 'holds', why: '' };
  } catch (error) {
    return { verdict: error instanceof Skipped ? 'skipped' : 'fails', why: (error as Error).message };
  } finally {
    clearTimeout(timer);
  }
}
