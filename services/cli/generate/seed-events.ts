import { pick, type Random, randomUuid } from './random.ts';

/** An event as the REST API takes it. */
export type SeedEvent = SeedClick | SeedConversion | SeedAdjustment | SeedVerdict;
export type SeedClick = ReturnType<typeof makeClick>;
export type SeedConversion = ReturnType<typeof makeConversion>;
export type SeedAdjustment = ReturnType<typeof makeAdjustment>;
export type SeedVerdict = ReturnType<typeof makeVerdict>;

/** An event, and when it is sent, in ms since 1970. */
export interface Sending {
  at: number;
  event: SeedEvent;
}

/** Longest time from an event to its duplicate. */
export const MAX_DUPLICATE_DELAY_MS = 10 * 60_000;
/** Longest time from an event to what is sent after it, though it came about before it. */
export const MAX_LATE_MS = 60_000;
const ADS_PER_CAMPAIGN = 4;
const SOURCES = ['facebook', 'google', 'tiktok', 'newsletter', 'affiliate'];
const APPS = ['ios_app', 'android_app', 'web'];
const BROWSERS = ['Chrome', 'Safari', 'Firefox', 'Edge'];
const COUNTRIES = ['US', 'DE', 'BR', 'IN', 'JP', 'FR', 'GB'];
const FRAUDS = ['bot', 'click farm', 'data center'];
/** What takes a purchase back; a refund of a part is as frequent as two others. */
const ADJUSTMENTS = ['part', 'part', 'whole', 'restate', 'retract'];

export function makeClick(random: Random, userId: string, campaign: number, timestamp: number) {
  return {
    event_type: 'click' as const,
    event_id: randomUuid(random),
    user_id: userId,
    ad_id: `ad-${campaign}-${1 + (random.uint32() % ADS_PER_CAMPAIGN)}`,
    campaign_id: `camp-${campaign}`,
    source: pick(random, SOURCES),
    timestamp,
    metadata: { browser: pick(random, BROWSERS), geo: pick(random, COUNTRIES) } as Record<string, string>,
  };
}

export function makeConversion(random: Random, userId: string, timestamp: number) {
  const purchase = random.unit() < 0.7;
  return {
    event_type: 'conversion' as const,
    event_id: randomUuid(random),
    user_id: userId,
    type: purchase ? 'purchase' : 'signup',
    value: purchase ? (1 + (random.uint32() % 20_000)) / 100 : 0,
    source: pick(random, APPS),
    timestamp,
  };
}

/** What has no value can only be retracted. */
export function makeAdjustment(random: Random, conversion: SeedConversion, timestamp: number) {
  const { event_id, user_id, value } = conversion;
  const event = {
    event_type: 'adjustment' as const,
    ...{ event_id: randomUuid(random), user_id, conversion_id: event_id, timestamp },
  };
  const cents = Math.round(value * 100);
  const upTo = (most: number) => (1 + (random.uint32() % most)) / 100;
  switch (value === 0 ? 'retract' : pick(random, ADJUSTMENTS)) {
    case 'part':
      return { ...event, kind: 'refund' as const, value: upTo(cents), reason: 'part returned' };
    case 'whole':
      return { ...event, kind: 'refund' as const, value, reason: 'returned' };
    case 'restate':
      return { ...event, kind: 'restate' as const, value: upTo(2 * cents), reason: 'corrected' };
    default:
      return { ...event, kind: 'retract' as const, reason: 'canceled' };
  }
}

export function makeVerdict(random: Random, click: SeedClick, valid: boolean, timestamp: number) {
  return {
    event_type: 'verdict' as const,
    event_id: randomUuid(random),
    user_id: click.user_id,
    click_id: click.event_id,
    valid,
    reason: valid ? 'reviewed' : pick(random, FRAUDS),
    timestamp,
  };
}
