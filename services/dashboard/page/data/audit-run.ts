import type { AuditCheck } from '../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { store } from '../state/store.ts';
import { keepAudit } from './audit.ts';
import { stats } from './client.ts';

export interface AuditRun {
  /** In ms since 1970-01-01 UTC; undefined while it runs, and if it failed. */
  finishedAt?: number | undefined;
  startedAt: number;
  checks: readonly AuditCheck[];
  error?: unknown;
}

/** The audit of this visit; goes on while other views are shown. */
export const auditRun = store<AuditRun | undefined>(undefined);

export function isRunning(run: AuditRun | undefined): boolean {
  return run !== undefined && run.finishedAt === undefined && run.error === undefined;
}

/** Runs one unless one runs, and keeps what it says. */
export async function runAudit(): Promise<void> {
  if (isRunning(auditRun.get())) return;
  let run: AuditRun = { startedAt: Date.now(), checks: [] };
  auditRun.set(run);
  try {
    for await (const { checks, done, finishedAt } of stats.runAudit({})) {
      // A check that is told again has come further.
      const byName = new Map([...run.checks, ...checks].map((check) => [check.name, check]));
      run = { ...run, checks: [...byName.values()], finishedAt: done ? Number(finishedAt) : undefined };
      auditRun.set(run);
    }
    if (run.finishedAt === undefined) throw new Error('the audit ended before it was done');
  } catch (error) {
    auditRun.set({ ...run, finishedAt: undefined, error });
    return;
  }
  const differing = run.checks.filter(({ outcome }) => outcome === 'differs');
  keepAudit({
    finishedAt: run.finishedAt,
    checks: run.checks.length,
    // A check that differs without rows to count is one.
    differing: differing.reduce((sum, check) => sum + Math.max(1, Number(check.differing)), 0),
  });
}
