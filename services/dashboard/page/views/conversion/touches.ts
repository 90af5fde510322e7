import { CandidateReason } from '../../../../../gen/ts/clickmesh/v1/attribution_pb.js';
import type { ExplainConversionResponse } from '../../../../../gen/ts/clickmesh/v1/stats_service_pb.js';

/** A click that the explanation names, be it that it was no candidate. */
export interface Touch {
  /** From 1, by time. */
  no: number;
  clickId: string;
  campaignId: string;
  adId: string;
  source: string;
  /** In ms since 1970-01-01 UTC. */
  time: number;
  /** What it has under each model of the decision, in micros; none if it was no candidate. */
  credits: readonly bigint[];
  /** Why, in the same order. */
  reasons: readonly string[];
  kind: 'candidate' | 'lost' | 'invalid' | 'out';
  /** What became of it, in few words. */
  outcome: string;
  /** How far off a click was that was no candidate; empty of others. */
  far: string;
}

const REASONS: Readonly<Record<number, string>> = {
  [CandidateReason.CREDITED]: 'credited',
  [CandidateReason.OLDER_THAN_WINNER]: 'older than the winner',
  [CandidateReason.NEWER_THAN_WINNER]: 'newer than the winner',
  [CandidateReason.LOST_TIE_ON_EVENT_ID]: 'lost the tie on event_id',
  [CandidateReason.SHARE_BELOW_ONE_MICRO]: 'share below one micro',
  [CandidateReason.INVALID]: 'invalid',
};

const MISSES: Readonly<Record<string, string>> = {
  after_conversion: 'after the conversion',
  before_lookback_window: 'before the window',
  no_longer_kept: 'no longer kept',
};

/** Every click of an explanation, the oldest first. */
export function touchesOf({ decision, nearMisses }: ExplainConversionResponse): Touch[] {
  const candidates = (decision?.candidates ?? []).map((candidate): Omit<Touch, 'no'> => {
    const { clickId, campaignId, adId, source, clickTime, creditsMicros: credits } = candidate;
    const reasons = candidate.reasons.map((reason) => REASONS[reason] ?? 'not told');
    const isInvalid = candidate.reasons[0] === CandidateReason.INVALID;
    const kind = isInvalid ? 'invalid' : credits.some((credit) => credit > 0n) ? 'candidate' : 'lost';
    const outcome = kind === 'candidate' ? 'candidate' : (reasons[0] ?? 'not told');
    return {
      ...{ clickId, campaignId, adId, source, time: Number(clickTime) },
      ...{ credits: isInvalid ? [] : credits, reasons, kind, outcome, far: '' },
    };
  });
  const misses = nearMisses.map((miss): Omit<Touch, 'no'> => {
    const { clickId, campaignId, adId, source, clickTime, reason, text } = miss;
    return {
      ...{ clickId, campaignId, adId, source, time: Number(clickTime) },
      ...{ credits: [], reasons: [], kind: 'out', outcome: MISSES[reason] ?? reason, far: text },
    };
  });
  return [...candidates, ...misses].sort((a, b) => a.time - b.time).map((touch, i) => ({ ...touch, no: i + 1 }));
}
