import { reasonFor } from './decide.ts';
import type { Decision } from './effects.ts';
import type { Credit, Touch } from './state.ts';

/** Told of a touch that could have had credit under a model, and why it has what it has. */
export type NameCandidate = (touch: Touch, model: string, creditMicros: number, reason: string) => void;

/**
 * Most candidates that a decision names under each model, so that it fits a record of the log (1 MiB) whatever
 * MAX_TOUCHES is.
 */
const MAX_CANDIDATES = 256;

/** Names the candidates of every model that gave credit, the latest first. */
export function explain({ credits, candidates }: Decision, name: NameCandidate): void {
  for (const model of modelsOf(credits)) {
    const ofModel = credits.filter((credit) => credit.model === model);
    nameCandidates(model, candidates, ofModel, name);
  }
}

/** So many it names, at most. */
export function mostCandidates({ credits, candidates }: Decision): number {
  return modelsOf(credits).size * Math.min(MAX_CANDIDATES, candidates.length);
}

function modelsOf(credits: readonly Credit[]): Set<string> {
  return new Set(credits.map((credit) => credit.model));
}

/** If there are too many: those with credit, and the latest of the others. */
function nameCandidates(
  model: string,
  touches: readonly Touch[],
  credits: readonly Credit[],
  name: NameCandidate,
): void {
  let left = MAX_CANDIDATES;
  let others = MAX_CANDIDATES - Math.min(MAX_CANDIDATES, credits.length);
  for (let i = touches.length - 1; i >= 0 && left > 0; i--) {
    const touch = touches[i]!;
    const credit = creditOf(touch, credits);
    if (credit === undefined && others-- <= 0) continue;
    name(touch, model, credit?.creditMicros ?? 0, reasonFor(touch, credit, credits));
    left--;
  }
}

function creditOf(touch: Touch, credits: readonly Credit[]): Credit | undefined {
  for (const credit of credits) if (credit.touch === touch) return credit;
  return undefined;
}
