import { CandidateReason } from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import type { Decision } from './effects.ts';
import type { Credit, Touch } from './state.ts';

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
export function explain(decision: Pick<Decision, 'models' | 'credits' | 'candidates'>, name: NameCandidates): void {
  const { models, candidates } = decision;
  const judgements = judgementsOf(decision);
  const credits = models.map(() => 0);
  const reasons = models.map(() => CandidateReason.UNSPECIFIED);
  const first = candidates.length > MAX_CREDITED ? firstCredited(candidates, judgements) : 0;
  let [credited, uncredited] = [MAX_CREDITED, MAX_UNCREDITED];
  for (let to = candidates.length; to > 0; ) {
    let from = 0;
    let isCredited = false;
    for (let i = 0; i < judgements.length; i++) {
      const judgement = judgements[i]!;
      judge(judgement, candidates, to - 1);
      from = Math.max(from, judgement.from);
      credits[i] = judgement.creditMicros;
      reasons[i] = judgement.reason;
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
  /** The credits given, ascending by touch. */
  credits: readonly Credit[];
  /** Of these, the last one that is not after the candidate looked at, or -1; and the place of its touch. */
  next: number;
  nextAt: number;
  /** All from this candidate to the one looked at have the same credit for the same reason. */
  from: number;
  creditMicros: number;
  reason: CandidateReason;
}

function judgementsOf({ models, credits, candidates }: Pick<Decision, 'models' | 'credits' | 'candidates'>) {
  let end = 0;
  return models.map((model): Judgement => {
    const start = end;
    while (credits[end]?.model === model) end++;
    const given = credits.slice(start, end);
    const next = given.length - 1;
    const nextAt = next < 0 ? -1 : candidates.lastIndexOf(given[next]!.touch);
    return { credits: given, next, nextAt, from: 0, creditMicros: 0, reason: CandidateReason.UNSPECIFIED };
  });
}

function firstCredited(candidates: readonly Touch[], judgements: readonly Judgement[]): number {
  let first = candidates.length;
  for (const { credits } of judgements) {
    if (credits.length > 0) first = Math.min(first, candidates.indexOf(credits[0]!.touch));
  }
  return first;
}

/** Looks at a candidate that is before those looked at until now. */
function judge(judgement: Judgement, candidates: readonly Touch[], at: number): void {
  const { credits } = judgement;
  if (credits.length > 1) {
    while (judgement.nextAt > at) {
      judgement.next--;
      judgement.nextAt =
        judgement.next < 0 ? -1 : candidates.lastIndexOf(credits[judgement.next]!.touch, judgement.nextAt - 1);
    }
  }
  judgement.creditMicros = 0;
  if (judgement.nextAt === at) {
    judgement.from = at;
    judgement.creditMicros = credits[judgement.next]!.creditMicros;
    judgement.reason = CandidateReason.CREDITED;
  } else if (credits.length === 1) {
    judgeBesideWinner(judgement, candidates, at);
  } else {
    judgement.from = judgement.nextAt + 1;
    judgement.reason = credits.length === 0 ? CandidateReason.UNSPECIFIED : CandidateReason.SHARE_BELOW_ONE_MICRO;
  }
}

function judgeBesideWinner(judgement: Judgement, candidates: readonly Touch[], at: number): void {
  const winner = judgement.nextAt;
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
