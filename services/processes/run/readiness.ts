import type { Check, Checks } from '../../http/standard/health.ts';

/** Longest wait of a readiness probe for a dependency, in ms: less than the usual timeout of probes. */
const TIMEOUT_MS = 2000;

/** Checks that a dependency answers in time and does not fail. */
export async function answersWithin(what: string, ask: () => Promise<unknown>): Promise<Check> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('no answer')), TIMEOUT_MS);
  try {
    await Promise.race([ask(), late.promise]);
    return { ok: true };
  } catch (error) {
    return { ok: false, reason: `${what} does not answer: ${(error as Error).message}` };
  } finally {
    clearTimeout(timer);
  }
}

/** Merges the checks of the workers behind one port: a check is ok if it is for all of them. */
export function checksOfAll(workers: readonly { worker: number; answer: Checks | null }[]): Checks {
  const all: Record<string, Check> = { workers: { ok: true } };
  for (const { worker, answer } of workers) {
    const checks = answer ?? { workers: { ok: false, reason: 'does not answer' } };
    for (const [name, check] of Object.entries(checks)) {
      if (all[name]?.ok === false) continue;
      all[name] = check.ok ? check : { ok: false, reason: `worker ${worker}: ${check.reason}` };
    }
  }
  return all;
}
