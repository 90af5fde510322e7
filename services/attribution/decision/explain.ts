import type { Decision } from './effects.ts';
import type { Credit, Touch } from './state.ts';

/** Callback for candidates [from, to), which share one credit and one reason under `model`; newest runs first. */
export type NameCandidates = (model: string, from: number, to: number, creditMicros: number, reason: string) => void;

/**
 * Most candidates that a decision names under each model, so that it fits a record of the log (1 MiB) whatever
 * MAX_TOUCHES is.
 */
const MAX_CANDIDATES = 256;

/**
 * Names each candidate with its credit and the reason for it, under every model that gave some; the latest first. If
 * there are too many, those with credit are named and the latest of the others.
 */
export function explain({ credits, candidates }: Pick<Decision, 'credits' | 'candidates'>, name: NameCandidates): void {
  // One model is what most have, and one credit.
  if (credits.length === 1) {
    explainWinner(candidates, credits[0]!, name);
    return;
  }
  for (const model of modelsOf(credits)) {
    const ofModel = credits.filter((credit) => credit.model === model);
    if (ofModel.length === 1) explainWinner(candidates, ofModel[0]!, name);
    else explainShares(candidates, ofModel, name);
  }
}

/** Most candidates that `explain` names. */
export function mostCandidates({ credits, candidates }: Decision): number {
  return modelsOf(credits).size * Math.min(MAX_CANDIDATES, candidates.length);
}

function modelsOf(credits: readonly Credit[]): Set<string> {
  const models = new Set<string>();
  for (const { model } of credits) models.add(model);
  return models;
}

/** Names candidates of a model that gave one touch all the credit. */
function explainWinner(touches: readonly Touch[], credit: Credit, name: NameCandidates): void {
  const { model, creditMicros } = credit;
  const winner = touches.lastIndexOf(credit.touch);
  const { timestamp } = credit.touch;
  let tied = winner;
  while (tied > 0 && touches[tied - 1]!.timestamp === timestamp) tied--;
  let newer = winner + 1;
  while (newer < touches.length && touches[newer]!.timestamp === timestamp) newer++;
  const latest = Math.max(0, touches.length - MAX_CANDIDATES);
  // The winner takes the place of the last one.
  const first = winner < latest ? latest + 1 : latest;
  nameLosers(name, model, Math.max(newer, first), touches.length, 'newer_than_winner');
  nameLosers(name, model, Math.max(winner + 1, first), newer, 'lost_tie_on_event_id');
  name(model, winner, winner + 1, creditMicros, 'credited');
  nameLosers(name, model, Math.max(tied, first), winner, 'lost_tie_on_event_id');
  nameLosers(name, model, first, tied, 'older_than_winner');
}

function nameLosers(name: NameCandidates, model: string, from: number, to: number, reason: string): void {
  if (from < to) name(model, from, to, 0, reason);
}

/** Names candidates of a model under which several touches share the credit. */
function explainShares(touches: readonly Touch[], credits: readonly Credit[], name: NameCandidates): void {
  const { model } = credits[0]!;
  let left = MAX_CANDIDATES;
  let others = MAX_CANDIDATES - Math.min(MAX_CANDIDATES, credits.length);
  for (let i = touches.length - 1; i >= 0 && left > 0; i--) {
    const credit = credits.find(({ touch }) => touch === touches[i]);
    if (credit === undefined && others-- <= 0) continue;
    const reason = credit === undefined ? 'share_below_one_micro' : 'credited';
    name(model, i, i + 1, credit?.creditMicros ?? 0, reason);
    left--;
  }
}
