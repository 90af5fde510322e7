import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { CandidateReason, CorrectionEffect } from '../../gen/ts/clickmesh/v1/attribution_pb.js';
import { type ListClicksResponse, ListClicksResponseSchema } from '../../gen/ts/clickmesh/v1/reports_pb.js';
import {
  type ExplainConversionRequest,
  type ExplainConversionResponse,
  ExplainConversionResponseSchema,
} from '../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { MODELS } from './made-up-rows.ts';

/** Of a conversion that has all that can be told of one. */
export const ID = '3f8c2a61-9d47-4b0e-8a15-62e7d94c1b70';
const HOUR_MS = 3_600_000;
/** Of the conversion, in ms since 1970-01-01 UTC: 26 Nov 2026 20:41:07.214. */
const CONVERTED = Date.UTC(2026, 10, 26, 20, 41, 7, 214);
const { CREDITED, OLDER_THAN_WINNER: OLDER, NEWER_THAN_WINNER: NEWER, INVALID } = CandidateReason;

interface MadeUpClick {
  id: string;
  campaign: string;
  ad: string;
  source: string;
  /** Before the conversion; less than 0 after it. */
  hours: number;
}

const CLICKS: readonly MadeUpClick[] = [
  { id: '0b9e-41c7', campaign: 'prospect-lookalike-us', ad: 'lookalike-1pct', source: 'facebook', hours: 194.7 },
  { id: '51d2-e09a', campaign: 'creator-unboxing', ad: 'unbox-maya', source: 'tiktok', hours: 155.5 },
  { id: '7a40-3b5f', campaign: 'video-black-friday', ad: 'bf-teaser-30s', source: 'youtube', hours: 102.2 },
  { id: '92fe-c816', campaign: 'newsletter-weekly', ad: 'issue-hero', source: 'email', hours: 60.6 },
  { id: 'a6c3-07d4', campaign: 'retarget-cart-7d', ad: 'carousel-a', source: 'facebook', hours: 24.9 },
  { id: 'c80b-92ae', campaign: 'partner-coupons', ad: 'coupon-ext-b', source: 'partners', hours: 13.4 },
  { id: 'e517-6d22', campaign: 'brand-search-eu', ad: 'brand-exact', source: 'google', hours: -9.65 },
];
/** Shares of the four candidates under the models, the oldest first, in micros. */
const CREDITS = [
  [0n, 1_000_000n, 250_000n, 59_400n, 400_000n],
  [0n, 0n, 250_000n, 143_200n, 100_000n],
  [0n, 0n, 250_000n, 284_500n, 100_000n],
  [1_000_000n, 0n, 250_000n, 512_900n, 400_000n],
];

/**
 * A conversion that a late click, a verdict and a refund have changed; "lost" is one that nothing is credited for,
 * "narrow" of a day's window.
 */
export function explanationOf({ conversionId }: ExplainConversionRequest): ExplainConversionResponse {
  if (conversionId === 'unknown' || conversionId.startsWith('user-'))
    throw new ConnectError('no decision on the conversion has arrived', Code.NotFound);
  const isLost = conversionId === 'lost';
  const at = ({ hours }: MadeUpClick) => BigInt(Math.round(CONVERTED - hours * HOUR_MS));
  const decision = {
    ...{ conversionId, userId: 'user-58213', conversionType: 'purchase', conversionTime: BigInt(CONVERTED) },
    ...{
      valueMicros: 129_900_000n,
      lookbackMs: BigInt((conversionId === 'narrow' ? 24 : 168) * HOUR_MS),
      attributed: !isLost,
      version: 5_717_461n,
    },
    ...{ models: MODELS, adjustedMicros: isLost ? 0n : 40_000_000n, causeId: 'refund-1', causeType: 'adjustment' },
    candidates: isLost
      ? []
      : CLICKS.slice(1, 6)
          .map((click, i) => candidateOf(click, at(click), i))
          .toReversed(),
  };
  return create(ExplainConversionResponseSchema, {
    ...{ decision, attributed: !isLost, netValueMicros: isLost ? 129_900_000n : 89_900_000n },
    metadata: { app: 'ios_app' },
    summary: isLost
      ? 'not credited: the nearest click was 8 d 2 h before; the window is 7 d'
      : 'credited to campaign retarget-cart-7d: the last of 4 clicks in the 7 d before; 1 more is invalid by a verdict',
    nearMisses: [CLICKS[6]!, CLICKS[0]!].map((click) => ({
      ...{ clickId: click.id, campaignId: click.campaign, adId: click.ad, source: click.source, clickTime: at(click) },
      reason: click.hours < 0 ? 'after_conversion' : 'before_lookback_window',
      text: click.hours < 0 ? '9 h 39 min after it' : '8 d 2 h before; the window is 7 d',
    })),
    corrections: isLost ? [] : corrections(),
    ...(!isLost && { lateClicks: [LATE], traceId: '9c1e7f0255aa4b6f8d3c2b1a00126e24' }),
  });
}

const LATE = {
  ...{ clickId: 'a6c3-07d4', arrivalTime: BigInt(CONVERTED + 0.41 * HOUR_MS) },
  text: 'arrived 25 min after the conversion',
};

function candidateOf(click: MadeUpClick, clickTime: bigint, i: number) {
  const isInvalid = i === 4;
  const credits = CREDITS[i] ?? MODELS.map(() => 0n);
  return {
    ...{ clickId: click.id, campaignId: click.campaign, adId: click.ad, source: click.source, clickTime },
    creditsMicros: [...credits],
    reasons: credits.map((credit, m) => (isInvalid ? INVALID : credit > 0n ? CREDITED : m === 0 ? OLDER : NEWER)),
  };
}

function corrections() {
  const applied = { effect: CorrectionEffect.APPLIED };
  return [
    {
      ...{ eventId: 'verdict-1', eventType: 'verdict', kind: 'invalid', clickId: 'c80b-92ae', ...applied },
      ...{ timestamp: BigInt(CONVERTED + 10.6 * HOUR_MS), reason: 'cookie stuffing' },
      text: 'its click takes no credit',
    },
    {
      ...{ eventId: 'refund-1', eventType: 'adjustment', kind: 'refund', valueMicros: 40_000_000n, ...applied },
      ...{ timestamp: BigInt(CONVERTED + 15 * HOUR_MS), reason: 'order 88121, one item returned' },
      ...{ valueBeforeMicros: 129_900_000n, valueAfterMicros: 89_900_000n, text: 'refunded 40: 129.9 → 89.9' },
    },
  ];
}

/** The clicks of its user. */
export function clicksOf(): ListClicksResponse {
  const clicks = CLICKS.map(({ id, campaign, ad, source, hours }) => ({
    ...{ clickId: id, campaignId: campaign, adId: ad, source, metadata: { geo: 'de' } },
    clickTime: BigInt(Math.round(CONVERTED - hours * HOUR_MS)),
  }));
  return create(ListClicksResponseSchema, { clicks: clicks.toReversed(), total: BigInt(clicks.length) });
}
