import { store } from '../state/store.ts';

/** What the last audit said that this browser has run. */
export interface LastAudit {
  /** In ms since 1970-01-01 UTC. */
  finishedAt: number;
  checks: number;
  /** Rows that differ but for known limits. */
  differing: number;
}

const KEY = 'clickmesh.audit';

export const lastAudit = store<LastAudit | undefined>(read());

/** Keeps it for the next visit, too. */
export function keepAudit(audit: LastAudit): void {
  lastAudit.set(audit);
  try {
    localStorage.setItem(KEY, JSON.stringify(audit));
  } catch {
    // Where nothing may be kept, it is known until the page is left.
  }
}

function read(): LastAudit | undefined {
  try {
    const { finishedAt, checks, differing } = JSON.parse(localStorage.getItem(KEY) ?? '') as LastAudit;
    return { finishedAt, checks, differing };
  } catch {
    return undefined;
  }
}
