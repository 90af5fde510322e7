import { reasonFor } from './decide.ts';
import type { Decision } from './effects.ts';
import type { Credit, Touch } from './state.ts';
import { isSameClick } from './touch.ts';

/** A touch that could have had credit, and why it has what it has. */
export interface Candidate {
  touch: Touch;
  model: string;
  creditMicros: number;
  reason: string;
}

/**
 * Most candidates that a decision names under each model, so that it fits a record of the log (1 MiB) whatever
 * MAX_TOUCHES is.
 */
const MAX_CANDIDATES = 256;

/** The candidates of every model that gave credit, the latest first. */
export function explain({ credits, candidates }: Decision): Candidate[] {
  const explained: Candidate[] = [];
  for (const model of new Set(credits.map((credit) => credit.model))) {
    const ofModel = credits.filter((credit) => credit.model === model);
    nameCandidates(model, candidates, ofModel, explained);
  }
  return explained;
}

/** If there are too many: those with credit, and the latest of the others. */
function nameCandidates(
  model: string,
  touches: readonly Touch[],
  credits: readonly Credit[],
  named: Candidate[],
): void {
  const end = named.length + MAX_CANDIDATES;
  let others = MAX_CANDIDATES - Math.min(MAX_CANDIDATES, credits.length);
  for (let i = touches.length - 1; i >= 0 && named.length < end; i--) {
    const touch = touches[i]!;
    const credit = creditOf(touch, credits);
    if (credit === undefined && others-- <= 0) continue;
    const reason = reasonFor(touch, credit, credits);
    named.push({ touch, model, creditMicros: credit?.creditMicros ?? 0, reason });
  }
}

function creditOf(touch: Touch, credits: readonly Credit[]): Credit | undefined {
  for (const credit of credits) if (isSameClick(credit.touch, touch)) return credit;
  return undefined;
}
