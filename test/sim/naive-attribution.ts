import { MODELS, type ModelName } from '../../services/attribution/decision/models.ts';

export type CorrectionKind = 'refund' | 'restate' | 'retract' | 'valid' | 'invalid';

/** An event of a simulated journey. */
export interface SimEvent {
  kind: 'click' | 'conversion' | CorrectionKind;
  id: string;
  userId: string;
  timestamp: number;
  /** Campaign of a click, type of a conversion, id of what is corrected. */
  label: string;
  /** Of a conversion, refund or restate. */
  valueMicros: bigint;
}

/** The type of an event, within which ids are unique. */
export function typeOf({ kind }: Pick<SimEvent, 'kind'>): 'click' | 'conversion' | 'adjustment' | 'verdict' {
  if (kind === 'click' || kind === 'conversion') return kind;
  return kind === 'valid' || kind === 'invalid' ? 'verdict' : 'adjustment';
}

/** What is left when everything has been attributed, as sorted lines of text. */
export interface FinalTables {
  attributed: string[];
  counters: string[];
  decisions: string[];
  totals: string;
}

const MEASURES = ['clicks', 'invalidClicks', 'conversions', 'revenue', 'retracted', 'adjusted', 'refunds'] as const;
type Measures = Record<(typeof MEASURES)[number], bigint>;

/** Sums of measures by what they are counted under. */
export class Counts {
  readonly #sums = new Map<string, Measures>();

  add(key: string, measures: Partial<Measures>): void {
    const sums = this.#sums.get(key) ?? (Object.fromEntries(MEASURES.map((name) => [name, 0n])) as Measures);
    for (const name of MEASURES) sums[name] += measures[name] ?? 0n;
    this.#sums.set(key, sums);
  }

  /** Those that are not zero, as text. */
  lines(): string[] {
    const all = [...this.#sums].filter(([, sums]) => MEASURES.some((name) => sums[name] !== 0n));
    return all.map(([key, sums]) => `${key}: ${MEASURES.map((name) => sums[name]).join(' ')}`).sort();
  }
}

/** The value of a conversion that holds, by the adjustments of it; each with what it does. */
function holds(gross: bigint, adjustments: readonly SimEvent[]) {
  const ordered = adjustments.toSorted(byTimeThenId);
  const retracted = ordered.some(({ kind }) => kind === 'retract');
  if (retracted) {
    const effects = ordered.map(({ kind }) => (kind === 'retract' ? 'APPLIED' : 'VOID'));
    return { retracted, net: 0n, refunds: 0n, exceeded: 0, effects };
  }
  let net = gross;
  let refunds = 0n;
  let effects: string[] = [];
  for (const { kind, valueMicros } of ordered) {
    if (kind === 'restate') {
      [net, refunds] = [valueMicros, 0n];
      effects = [...effects.map(() => 'SUPERSEDED'), 'APPLIED'];
      continue;
    }
    const before = net;
    net = net > valueMicros ? net - valueMicros : 0n;
    refunds += before - net;
    effects.push(before - net === valueMicros ? 'APPLIED' : before === net ? 'EXCEEDED' : 'APPLIED_IN_PART');
  }
  const exceeded = effects.filter((effect) => effect === 'EXCEEDED' || effect === 'APPLIED_IN_PART').length;
  return { retracted, net, refunds, exceeded, effects };
}

/** Shares of a total by weight, by largest remainder, of which the later is given more. */
function share(total: bigint, weights: readonly bigint[]): bigint[] {
  const sum = weights.reduce((a, b) => a + b, 0n);
  const shares = weights.map((weight) => (total * weight) / sum);
  const order = weights.map((_, i) => i).sort((a, b) => compare(rest(b), rest(a)) || b - a);
  function rest(i: number): bigint {
    return (total * weights[i]!) % sum;
  }
  for (let i = 0, left = total - shares.reduce((a, b) => a + b, 0n); left > 0n; i++, left--) shares[order[i]!]! += 1n;
  return shares;
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Last-click attribution and its kin as one would write it on paper: drop duplicates, sort everything, then look at
 * every conversion with every adjustment of it and every click of its user, with every verdict on that. Shares no code
 * with the fold but the models' weights.
 *
 * @param zone of the days that counts are by
 */
export function attributeNaively(
  events: readonly SimEvent[],
  models: ModelName[],
  lookbackMs: number,
  zone = 'UTC',
): FinalTables {
  const day = ({ timestamp }: SimEvent) => dayIn(zone, timestamp);
  const distinct = [...new Map(events.map((e) => [`${typeOf(e)} ${e.userId} ${e.id}`, e])).values()];
  const of = Map.groupBy(distinct, typeOf);
  const [clicks, conversions] = [(of.get('click') ?? []).sort(byTimeThenId), of.get('conversion') ?? []];
  const verdicts = Map.groupBy(of.get('verdict') ?? [], targetOf);
  const adjustments = Map.groupBy(of.get('adjustment') ?? [], targetOf);
  const isInvalid = (click: SimEvent) => verdicts.get(nameOf(click))?.toSorted(byTimeThenId).at(-1)?.kind === 'invalid';
  const counts = new Counts();
  for (const click of clicks) {
    counts.add(`${day(click)} ${click.label} - -`, isInvalid(click) ? { invalidClicks: 1n } : { clicks: 1n });
  }
  const attributed: string[] = [];
  const decisions: string[] = [];
  let [matched, exceeded] = [0, 0];
  const clicksOf = Map.groupBy(clicks, ({ userId }) => userId);
  for (const conversion of conversions) {
    const within = (clicksOf.get(conversion.userId) ?? []).filter(
      (click) => click.timestamp <= conversion.timestamp && click.timestamp >= conversion.timestamp - lookbackMs,
    );
    const candidates = within.filter((click) => !isInvalid(click));
    const chain = (adjustments.get(nameOf(conversion)) ?? []).toSorted(byTimeThenId);
    const { retracted, net, refunds, exceeded: beyond, effects } = holds(conversion.valueMicros, chain);
    exceeded += beyond;
    const gross = conversion.valueMicros;
    const considered: string[] = [];
    const count = (key: string, credit: bigint, revenue: bigint, adjusted: bigint, refunded: bigint) => {
      const conversions = retracted ? { retracted: credit } : { conversions: credit };
      counts.add(key, { ...conversions, revenue, adjusted, refunds: refunded });
    };
    if (candidates.length > 0) matched++;
    else count(`${day(conversion)} - ${conversion.label} -`, 1_000_000n, net, gross - net, refunds);
    for (const model of candidates.length === 0 ? [] : models) {
      const weights = weightsOf(model, candidates, conversion, lookbackMs);
      const [credits, nets, grosses, refunded] = [1_000_000n, net, gross, refunds].map((total) =>
        share(total, weights),
      );
      candidates.forEach((click, i) => {
        considered.push(`${model} ${click.id} ${credits![i]}`);
        if (weights[i] === 0n) return;
        const shares = [credits![i]!, nets![i]!, grosses![i]! - nets![i]!, refunded![i]!] as const;
        attributed.push(
          `${conversion.userId} ${conversion.id} ${model} ${click.id} ${click.label} ${shares.join(' ')} ${retracted}`,
        );
        count(`${day(conversion)} ${click.label} ${conversion.label} ${model}`, ...shares);
      });
    }
    const invalid = within.filter(isInvalid).map(({ id }) => `${id} INVALID`);
    const corrected = chain.map(({ id, kind }, i) => `${id} ${kind} ${effects[i]}`);
    decisions.push(
      `${conversion.userId} ${conversion.id}: ${[...considered.sort(), ...invalid.sort(), ...corrected].join(', ')}`,
    );
  }
  const counted = (type: ReturnType<typeof typeOf>) => of.get(type)?.length ?? 0;
  const duplicates = (['click', 'conversion', 'adjustment', 'verdict'] as const).map(
    (type) => events.filter((e) => typeOf(e) === type).length - counted(type),
  );
  const known = new Set([...clicks, ...conversions].map(nameOf));
  const corrections = [...(of.get('adjustment') ?? []), ...(of.get('verdict') ?? [])];
  const waiting = corrections.filter((each) => !known.has(targetOf(each))).length;
  return {
    attributed: attributed.sort(),
    counters: counts.lines(),
    decisions: decisions.sort(),
    totals: [
      `${events.length} records, ${clicks.length} clicks (${clicks.filter(isInvalid).length} invalid)`,
      `${matched} attributed, ${conversions.length - matched} unattributed`,
      `${counted('adjustment')} adjustments (${exceeded} exceed), ${counted('verdict')} verdicts, ${waiting} wait`,
      `${duplicates.join('+')} duplicates, 0 too late`,
    ].join(', '),
  };
}

/** User, role and id of an event, and of what an event corrects. */
function nameOf(event: SimEvent): string {
  return `${event.userId} ${typeOf(event)} ${event.id}`;
}

function targetOf(event: SimEvent): string {
  return `${event.userId} ${typeOf(event) === 'verdict' ? 'click' : 'conversion'} ${event.label}`;
}

function weightsOf(model: ModelName, clicks: readonly SimEvent[], conversion: SimEvent, lookbackMs: number): bigint[] {
  const touches = clicks.map(({ id, timestamp, label }) => ({
    clickId: id,
    timestamp,
    arrival: 0,
    adId: 'ad',
    metadata: '',
    campaignId: label,
    source: 'src',
  }));
  const weights = MODELS[model](touches, { timestamp: conversion.timestamp, lookbackMs });
  return [...touches.slice(weights.length).map(() => 0n), ...weights.map(BigInt)];
}

function byTimeThenId(a: SimEvent, b: SimEvent): number {
  return a.timestamp - b.timestamp || (a.id < b.id ? -1 : 1);
}

/** Days since 1970-01-01 by the calendar of a zone, as Intl knows it. */
export function dayIn(zone: string, timestamp: number): number {
  const format = formats.get(zone) ?? new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' });
  formats.set(zone, format);
  return Date.parse(format.format(timestamp)) / 86_400_000;
}

const formats = new Map<string, Intl.DateTimeFormat>();
