import type { Check } from '../shared/rpc/health.ts';

/** Longest that a readiness probe waits for what it asks, in ms: less than the usual timeout of probes. */
const TIMEOUT_MS = 2000;

/** Whether something answers soon and does not fail. */
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
