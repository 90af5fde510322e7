import {
  type Candidate,
  CandidateReason,
  type ConversionDecision,
  CorrectionEffect,
} from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import type { ExplainedCorrection, NearMiss } from '../../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { decimal } from '../rest-json.ts';

/** Most campaigns that a summary names. */
const MAX_CAMPAIGNS = 3;

/** Why a conversion is credited as it is under a model, in a sentence. */
export function summaryOf(decision: ConversionDecision, model: string, nearMisses: readonly NearMiss[]): string {
  const why = decision.attributed ? creditedTo(decision, model) : notCredited(decision, nearMisses);
  return decision.retracted ? `${why}; it is retracted and counts no more` : why;
}

function creditedTo(decision: ConversionDecision, model: string): string {
  const { candidates, candidatesLeftOut, models } = decision;
  const at = models.indexOf(model);
  const valid = candidates.filter((each) => !isInvalid(each));
  const count = valid.length + candidatesLeftOut;
  const credited = valid.filter(({ creditsMicros }) => (creditsMicros[at] ?? 0n) > 0n);
  const [first, ...others] = credited;
  if (first === undefined) return `credited, but what ${model} makes of it is not told`;
  const window = `in the ${duration(decision.lookbackMs)} before`;
  if (others.length > 0) {
    const clicks = `${credited.length} of ${count} clicks ${window} under ${model}`;
    return `credited to ${clicks}: ${sharesOf(credited, at)}${besideInvalid(candidates)}`;
  }
  const which = count === 1 ? `the only click` : `the ${placeOf(first, valid)} of ${count} clicks`;
  return `credited to campaign ${first.campaignId}: ${which} ${window}${besideInvalid(candidates)}`;
}

/** Candidates are named newest first. */
function placeOf(click: Candidate, valid: readonly Candidate[]): string {
  if (click === valid[0]) return 'last';
  return click === valid.at(-1) ? 'first' : `${valid.indexOf(click) + 1}. last`;
}

/** The campaigns with the most credit, with their shares of it. */
function sharesOf(credited: readonly Candidate[], at: number): string {
  const campaigns = Map.groupBy(credited, ({ campaignId }) => campaignId);
  const shares = [...campaigns].map(([campaign, clicks]) => {
    return { campaign, micros: clicks.reduce((sum, { creditsMicros }) => sum + creditsMicros[at]!, 0n) };
  });
  shares.sort((a, b) => Number(b.micros - a.micros));
  const named = shares.slice(0, MAX_CAMPAIGNS).map(({ campaign, micros }) => {
    return `campaign ${campaign} with ${decimal(micros * 100n)} %`;
  });
  const left = shares.length - named.length;
  return `${named.join(', ')}${left > 0 ? ` and ${left} more` : ''}`;
}

function besideInvalid(candidates: readonly Candidate[]): string {
  const count = candidates.filter(isInvalid).length;
  if (count === 0) return '';
  return `; ${count} more ${count === 1 ? 'is' : 'are'} invalid by a verdict`;
}

function notCredited({ candidates, lookbackMs }: ConversionDecision, nearMisses: readonly NearMiss[]): string {
  const invalid = candidates.filter(isInvalid).length;
  const window = duration(lookbackMs);
  if (invalid === 1) return `not credited: the only click in the ${window} before is invalid by a verdict`;
  if (invalid > 1) return `not credited: all ${invalid} clicks in the ${window} before are invalid by verdicts`;
  const of = (reason: string) => nearMisses.filter((each) => each.reason === reason);
  // They are named newest first: of those before, the first is the nearest, of those after, the last.
  const nearest = of('no_longer_kept')[0] ?? of('before_lookback_window')[0] ?? of('after_conversion').at(-1);
  if (nearest === undefined) return 'not credited: no click of this user is known';
  return `not credited: the nearest click was ${nearest.text}`;
}

function isInvalid({ reasons }: Candidate): boolean {
  return reasons[0] === CandidateReason.INVALID;
}

/** Why a click was no candidate, and how far off. */
export function textOfMiss({ clickTime, reason }: NearMiss, decision: ConversionDecision): string {
  const before = decision.conversionTime - clickTime;
  if (reason === 'after_conversion') return `${duration(-before)} after it`;
  const why =
    reason === 'no_longer_kept'
      ? 'no longer kept when it was decided'
      : `the window is ${duration(decision.lookbackMs)}`;
  return `${duration(before)} before; ${why}`;
}

/** What an adjustment or a verdict did. */
export function textOfCorrection({ effect, kind, eventType, ...correction }: ExplainedCorrection): string {
  const { valueMicros, valueBeforeMicros: before, valueAfterMicros: after } = correction;
  const change = before === undefined || after === undefined ? '' : `: ${decimal(before)} → ${decimal(after)}`;
  switch (effect) {
    case CorrectionEffect.APPLIED:
      if (eventType === 'verdict')
        return kind === 'invalid' ? 'its click takes no credit' : 'its click may take credit';
      if (kind === 'retract') return `retracted${change}`;
      return kind === 'restate' ? `restated${change}` : `refunded ${decimal(valueMicros)}${change}`;
    case CorrectionEffect.APPLIED_IN_PART:
      return `refunded ${decimal(valueMicros)}, of which not all was left${change}`;
    case CorrectionEffect.EXCEEDED:
      return `refunded ${decimal(valueMicros)}, but nothing was left`;
    case CorrectionEffect.SUPERSEDED:
      return `changes nothing: a later ${eventType === 'verdict' ? 'verdict' : 'restate'} stands`;
    case CorrectionEffect.VOID:
      return 'changes nothing: the conversion is retracted';
    case CorrectionEffect.TOO_LATE:
      return 'changes nothing: it came too late';
    default:
      return 'what it does is not known, or not yet';
  }
}

const UNITS: readonly [ms: bigint, name: string][] = [
  [86_400_000n, 'd'],
  [3_600_000n, 'h'],
  [60_000n, 'min'],
  [1000n, 's'],
  [1n, 'ms'],
];
/** Up to which hours are told in hours. */
const MAX_HOURS_MS = 48n * 3_600_000n;

/** A length of time in its two greatest units that are not 0: what is a little longer does not look the same. */
export function duration(ms: bigint): string {
  let left = ms;
  const parts: string[] = [];
  for (const [size, name] of UNITS) {
    const count = left / size;
    if (count === 0n || (name === 'd' && ms <= MAX_HOURS_MS) || parts.length === 2) continue;
    parts.push(`${count} ${name}`);
    left -= count * size;
  }
  return parts.join(' ') || '0 s';
}
