import { expect, test } from 'vitest';
import { accept } from '../../gateway/event/accept.ts';
import { readItem } from '../../gateway/event/event-json.ts';
import { type GenerateOptions, generateEvents } from './journeys.ts';
import type { SeedEvent } from './seed-events.ts';

const OPTIONS: GenerateOptions = {
  events: 20_000,
  users: 500,
  campaigns: 20,
  seed: 1,
  end: '2025-12-31',
  days: 3,
  conversionRate: 0.2,
  duplicates: 0.1,
  late: 0.25,
  disorderMs: 5000,
  refunds: 0,
  invalid: 0,
};

test('the same options give the same events, another seed others', () => {
  const first = generate({ events: 1000 });
  expect(generate({ events: 1000 })).toEqual(first);
  expect(generate({ events: 1000, seed: 2 })).not.toEqual(first);
});

test('the events of a seed do not change from version to version', () => {
  expect(generate({ events: 1 })).toEqual([
    {
      event_type: 'click',
      event_id: '6f2c548e-81e3-435f-bf2c-f5beaa5f01ad',
      user_id: 'user-7',
      ad_id: 'ad-14-4',
      campaign_id: 'camp-14',
      source: 'affiliate',
      timestamp: 1766966400000,
      metadata: { browser: 'Safari', geo: 'BR' },
    },
  ]);
});

test.each([1, 2, 999, 1000])('makes exactly %i events', (events) => {
  expect(generate({ events, duplicates: 1, conversionRate: 1 })).toHaveLength(events);
});

test('every event is accepted and dated within the days', () => {
  const [start, end] = [Date.parse('2025-12-29'), Date.parse('2026-01-01')];
  for (const event of generate({ refunds: 0.5, invalid: 0.5 })) {
    const read = readItem({ json: JSON.parse(JSON.stringify(event)) });
    const isAccepted = read.kind === 'event' && accept(read.event, { now: end, currency: 'USD' }).kind === 'accepted';
    expect(isAccepted, JSON.stringify(event)).toBe(true);
    expect(event.timestamp).toBeGreaterThanOrEqual(start);
    expect(event.timestamp).toBeLessThan(end);
  }
});

test('shares are as asked for', () => {
  // So many users that hardly one comes twice, and a conversion before any click of its user is a late click's.
  const { clicks, conversions, repeated, late } = tally(generate({ users: 5_000_000 }));
  expect(conversions / clicks).toBeCloseTo(0.2, 2);
  expect(repeated / (clicks + conversions)).toBeCloseTo(0.1, 2);
  expect(late / conversions).toBeCloseTo(0.25, 1);
});

test('corrections are dated after what they correct, and in shares as asked for', () => {
  const events = generate({ events: 40_000, refunds: 0.3, invalid: 0.2, duplicates: 0 });
  const clicks = new Map(events.filter((e) => e.event_type === 'click').map((e) => [e.event_id, e]));
  const conversions = new Map(events.filter((e) => e.event_type === 'conversion').map((e) => [e.event_id, e]));
  const adjustments = events.filter((e) => e.event_type === 'adjustment');
  const verdicts = events.filter((e) => e.event_type === 'verdict');
  const targets = new Map<SeedEvent, SeedEvent>([
    ...adjustments.map((e) => [e, conversions.get(e.conversion_id)!] as const),
    ...verdicts.map((e) => [e, clicks.get(e.click_id)!] as const),
  ]);
  for (const [{ user_id, timestamp }, target] of targets) {
    expect(user_id).toBe(target.user_id);
    expect(timestamp).toBeGreaterThanOrEqual(target.timestamp);
  }
  expect(new Set(adjustments.map((e) => e.conversion_id)).size / conversions.size).toBeCloseTo(0.3, 1);
  expect(verdicts.filter((e) => !e.valid).length / clicks.size).toBeCloseTo(0.2, 1);
  expect(verdicts.filter((e) => e.valid).length / verdicts.length).toBeCloseTo(0.2, 1);
  expect(new Set(adjustments.map((e) => e.kind))).toEqual(new Set(['refund', 'restate', 'retract']));
  const places = new Map(events.map((e, i) => [e, i]));
  const late = [...targets].filter(([correction, target]) => places.get(correction)! < places.get(target)!);
  expect(new Set(late.map(([, target]) => target)).size / new Set(targets.values()).size).toBeCloseTo(0.25, 1);
});

test('without duplicates, disorder and late clicks every event is sent once, in order', () => {
  const events = generate({ duplicates: 0, disorderMs: 0, late: 0 });
  expect(tally(events)).toMatchObject({ repeated: 0, late: 0 });
  const times = events.map(({ timestamp }) => timestamp);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});

test('the first campaign of n gets about 1 / H(n) of the clicks', () => {
  const clicks = generate().filter((event) => event.event_type === 'click');
  const harmonic = Array.from({ length: 20 }, (_, i) => 1 / (i + 1)).reduce((a, b) => a + b);
  const first = clicks.filter((click) => click.campaign_id === 'camp-1').length;
  expect(first / clicks.length).toBeCloseTo(1 / harmonic, 1);
});

function generate(changes: Partial<GenerateOptions> = {}) {
  return [...generateEvents({ ...OPTIONS, ...changes })];
}

/** Counts distinct events, repeated ones, and conversions whose user has not clicked before, in order of sending. */
function tally(events: readonly SeedEvent[]) {
  const seen = new Set<string>();
  const counts = { clicks: 0, conversions: 0, repeated: 0, late: 0 };
  for (const event of events) {
    if (seen.has(event.event_id)) counts.repeated++;
    else if (event.event_type === 'click') counts.clicks++;
    else if (event.event_type === 'conversion') {
      counts.conversions++;
      if (!seen.has(event.user_id)) counts.late++;
    }
    seen.add(event.event_id).add(event.user_id);
  }
  return counts;
}
