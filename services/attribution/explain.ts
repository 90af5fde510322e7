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
  const models = [...new Set(credits.map((credit) => credit.model))];
  return models.flatMap((model) => {
    const ofModel = credits.filter((credit) => credit.model === model);
    return named(candidates, ofModel).map(({ touch, credit }) => ({
      touch,
      model,
      creditMicros: credit?.creditMicros ?? 0,
      reason: reasonFor(touch, credit, ofModel),
    }));
  });
}

/** If there are too many: those with credit, and the latest of the others. */
function named(candidates: readonly Touch[], credits: readonly Credit[]) {
  const chosen: { touch: Touch; credit: Credit | undefined }[] = [];
  let others = MAX_CANDIDATES - Math.min(MAX_CANDIDATES, credits.length);
  for (let i = candidates.length - 1; i >= 0 && chosen.length < MAX_CANDIDATES; i--) {
    const touch = candidates[i]!;
    const credit = credits.find((each) => isSameClick(each.touch, touch));
    if (credit === undefined && others-- <= 0) continue;
    chosen.push({ touch, credit });
  }
  return chosen;
}
