import { apportion, MODELS, type ModelName } from '../../services/attribution/decision/models.ts';

/** An event of a simulated journey. */
export interface SimEvent {
  kind: 'click' | 'conversion';
  id: string;
  userId: string;
  timestamp: number;
  /** Campaign of a click, type of a conversion. */
  label: string;
  /** Of a conversion. */
  valueMicros: bigint;
}

/** What is left when everything has been attributed, as sorted lines of text. */
export interface FinalTables {
  attributed: string[];
  counters: string[];
  decisions: string[];
  totals: string;
}

/**
 * Last-click attribution and its kin as one would write it on paper: drop duplicates, sort everything, then look at
 * every conversion with every click of its user. Shares no code with the fold but the models' weights.
 */
export function attributeNaively(events: readonly SimEvent[], models: ModelName[], lookbackMs: number): FinalTables {
  const distinct = [...new Map(events.map((e) => [`${e.kind} ${e.userId} ${e.id}`, e])).values()];
  const clicks = distinct.filter((e) => e.kind === 'click').sort(byTimeThenId);
  const conversions = distinct.filter((e) => e.kind === 'conversion');
  const counters = new Map<string, [clicks: bigint, conversions: bigint, revenue: bigint]>();
  const count = (key: string, c: bigint, v: bigint, r: bigint) => {
    const [clicksBefore, conversionsBefore, revenueBefore] = counters.get(key) ?? [0n, 0n, 0n];
    counters.set(key, [clicksBefore + c, conversionsBefore + v, revenueBefore + r]);
  };
  for (const click of clicks) count(`${day(click)} ${click.label} - -`, 1n, 0n, 0n);

  const attributed: string[] = [];
  const decisions: string[] = [];
  let matched = 0;
  const clicksOf = Map.groupBy(clicks, ({ userId }) => userId);
  for (const conversion of conversions) {
    const candidates = (clicksOf.get(conversion.userId) ?? []).filter(
      (click) => click.timestamp <= conversion.timestamp && click.timestamp >= conversion.timestamp - lookbackMs,
    );
    if (candidates.length > 0) matched++;
    const considered: string[] = [];
    for (const model of candidates.length === 0 ? [] : models) {
      const weights = weightsOf(model, candidates, conversion, lookbackMs);
      const shares = apportion(1_000_000n, weights);
      const values = apportion(conversion.valueMicros, weights);
      candidates.forEach((click, i) => {
        considered.push(`${model} ${click.id} ${shares[i]}`);
        if (shares[i] === 0n) return;
        attributed.push(
          `${conversion.userId} ${conversion.id} ${model} ${click.id} ${click.label} ${shares[i]} ${values[i]}`,
        );
        count(`${day(conversion)} ${click.label} ${conversion.label} ${model}`, 0n, shares[i]!, values[i]!);
      });
    }
    decisions.push(`${conversion.userId} ${conversion.id}: ${considered.sort().join(', ')}`);
  }
  const duplicates = (kind: SimEvent['kind'], kept: number) => events.filter((e) => e.kind === kind).length - kept;
  return {
    attributed: attributed.sort(),
    counters: [...counters].map(([key, values]) => `${key}: ${values.join(' ')}`).sort(),
    decisions: decisions.sort(),
    totals: [
      `${events.length} records, ${clicks.length} clicks`,
      `${matched} attributed, ${conversions.length - matched} unattributed`,
      `${duplicates('click', clicks.length)}+${duplicates('conversion', conversions.length)} duplicates`,
    ].join(', '),
  };
}

function weightsOf(model: ModelName, clicks: readonly SimEvent[], conversion: SimEvent, lookbackMs: number): bigint[] {
  const touches = clicks.map(({ id, timestamp, label }) => ({
    clickId: id,
    timestamp,
    arrival: 0,
    adId: 'ad',
    campaignId: label,
    source: 'src',
  }));
  const weights = MODELS[model](touches, { timestamp: conversion.timestamp, lookbackMs });
  return [...touches.slice(weights.length).map(() => 0n), ...weights];
}

function byTimeThenId(a: SimEvent, b: SimEvent): number {
  return a.timestamp - b.timestamp || (a.id < b.id ? -1 : 1);
}

function day({ timestamp }: SimEvent): number {
  return Math.floor(timestamp / 86_400_000);
}
