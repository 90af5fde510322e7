import { CandidateReason } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import { hasCredit } from './decide.ts';
import { type Decision, underModel } from './effects.ts';
import type { ModelShares, Touch } from './state.ts';

/**
 * Callback for candidates [from, to), which share their credits, in micros, and the reasons for them, each in the order
 * of the models; newest runs first. Both lists are used again for the next run.
 */
export type NameCandidates = (
  from: number,
  to: number,
  credits: readonly number[],
  reasons: readonly CandidateReason[],
) => void;

/** Most candidates that a decision names, so that it fits a record of the log (1 MiB) whatever MAX_TOUCHES is. */
const MAX_CREDITED = 1280;
const MAX_UNCREDITED = 256;
/** Most invalid clicks that a decision names. */
const MAX_INVALID = 128;

/**
 * Names each candidate once, with its credit and the reason for it under every model; the latest first. If too many
 * have none, the latest of them are named; if too many have some, the latest and the first.
 */
export function explain(decision: Pick<Decision, 'models' | 'shares' | 'candidates'>, name: NameCandidates): void {
  const { models, candidates } = decision;
  const judgements = judgementsOf(decision, candidates.length);
  credits.length = reasons.length = models.length;
  const first = candidates.length > MAX_CREDITED ? firstCredited(judgements) : 0;
  let [credited, uncredited] = [MAX_CREDITED, MAX_UNCREDITED];
  for (let to = candidates.length; to > 0; ) {
    let from = 0;
    let isCredited = false;
    for (let i = 0; i < judgements.length; i++) {
      const judgement = judgements[i]!;
      if (judgement.from >= to) {
        judge(judgement, candidates, to - 1);
        credits[i] = judgement.creditMicros;
        reasons[i] = judgement.reason;
      }
      from = Math.max(from, judgement.from);
      isCredited ||= judgement.reason === CandidateReason.CREDITED;
    }
    if (isCredited) {
      // A run of those with credit is one candidate.
      if (credited > 1 || from === first) name(from, to, credits, reasons);
      if (credited > 1) credited--;
    } else {
      const named = Math.min(to - from, uncredited);
      if (named > 0) name(to - named, to, credits, reasons);
      uncredited -= named;
    }
    to = from;
  }
}

/** What is said of the candidates that are named now. */
const credits: number[] = [];
const reasons: CandidateReason[] = [];

/** The invalid clicks that a decision names. */
export function namedInvalid({ invalid }: Pick<Decision, 'invalid'>): readonly Touch[] {
  return invalid.length > MAX_INVALID ? invalid.slice(-MAX_INVALID) : invalid;
}

/** Most candidates and invalid clicks that a decision names. */
export function mostNamed({ candidates, invalid }: Pick<Decision, 'candidates' | 'invalid'>): number {
  return Math.min(MAX_CREDITED + MAX_UNCREDITED, candidates.length) + Math.min(MAX_INVALID, invalid.length);
}

/** What one model makes of the candidates, looked at from the latest to the first. */
interface Judgement {
  /** Undefined if none has credit. */
  shares: ModelShares | undefined;
  /** Whether one alone has credit. */
  hasWinner: boolean;
  /** Place of the last one with credit that is not after the candidate looked at, or, of a winner, its place; or -1. */
  next: number;
  /** All from this candidate to the one looked at have the same credit for the same reason; at first behind all. */
  from: number;
  creditMicros: number;
  reason: CandidateReason;
}

/** Judgements of each model, which are used again: there are decisions by the hundred thousand. */
const judgementsByModel: Judgement[] = [];

function judgementsOf(
  { models, shares: { byModel } }: Pick<Decision, 'models' | 'shares'>,
  count: number,
): readonly Judgement[] {
  judgementsByModel.length = models.length;
  for (let m = 0; m < models.length; m++) {
    const shares = underModel(byModel, models[m]!, m);
    const next = shares === undefined ? -1 : lastCredited(shares, shares.from + shares.creditMicros.length - 1);
    const hasWinner = next !== -1 && lastCredited(shares!, next - 1) === -1;
    const judgement = judgementsByModel[m];
    if (judgement === undefined) {
      const reason = CandidateReason.UNSPECIFIED;
      judgementsByModel[m] = { shares, hasWinner, next, from: count, creditMicros: 0, reason };
      continue;
    }
    judgement.shares = shares;
    judgement.hasWinner = hasWinner;
    judgement.next = next;
    judgement.from = count;
    judgement.creditMicros = 0;
    judgement.reason = CandidateReason.UNSPECIFIED;
  }
  return judgementsByModel;
}

/** Place of the last one with credit that is not after `at`; -1 if there is none. */
function lastCredited(shares: ModelShares, at: number): number {
  let last = at;
  while (last >= shares.from && !hasCredit(shares, last)) last--;
  return last < shares.from ? -1 : last;
}

/** Place of the first candidate with credit under any model, of which each has some. */
function firstCredited(judgements: readonly Judgement[]): number {
  let first = Number.POSITIVE_INFINITY;
  for (const { shares } of judgements) {
    if (shares === undefined) continue;
    let at = shares.from;
    while (!hasCredit(shares, at)) at++;
    first = Math.min(first, at);
  }
  return first;
}

/** Looks at a candidate that is before those looked at until now. */
function judge(judgement: Judgement, candidates: readonly Touch[], at: number): void {
  const { shares, hasWinner } = judgement;
  if (!hasWinner && shares !== undefined && judgement.next > at) judgement.next = lastCredited(shares, at);
  judgement.creditMicros = 0;
  if (judgement.next === at) {
    judgement.from = at;
    judgement.creditMicros = shares!.creditMicros[at - shares!.from]!;
    judgement.reason = CandidateReason.CREDITED;
  } else if (hasWinner) {
    judgeBesideWinner(judgement, candidates, at);
  } else {
    judgement.from = judgement.next + 1;
    judgement.reason = shares === undefined ? CandidateReason.UNSPECIFIED : CandidateReason.SHARE_BELOW_ONE_MICRO;
  }
}

function judgeBesideWinner(judgement: Judgement, candidates: readonly Touch[], at: number): void {
  const winner = judgement.next;
  const time = candidates[winner]!.timestamp;
  if (candidates[at]!.timestamp === time) {
    judgement.reason = CandidateReason.LOST_TIE_ON_EVENT_ID;
    let from = at;
    while (from > 0 && from - 1 !== winner && candidates[from - 1]!.timestamp === time) from--;
    judgement.from = from;
  } else if (at < winner) {
    judgement.reason = CandidateReason.OLDER_THAN_WINNER;
    judgement.from = 0;
  } else {
    judgement.reason = CandidateReason.NEWER_THAN_WINNER;
    let from = winner + 1;
    while (candidates[from]!.timestamp === time) from++;
    judgement.from = from;
  }
}
