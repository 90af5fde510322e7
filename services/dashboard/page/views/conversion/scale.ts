import { clock, duration, shortDay, today } from '../../format/time.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Distances between ticks, in ms. */
const STEPS = [
  ...[1000, 5000, 15_000, MINUTE, 5 * MINUTE, 15 * MINUTE],
  ...[1, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 7, 14, 30, 90, 365].map((days) => days * DAY),
];
const MAX_TICKS = 11;
/** Distances from the conversion that a logarithmic scale has ticks at, in ms. */
const AWAY = [MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY, 30 * DAY, 365 * DAY];
/** The least distance, in ms, below which a logarithmic scale is nearly linear. */
const MIN_NEAR = 1000;

export interface Scale {
  /** In percent of the width, of a time in ms since 1970-01-01 UTC. */
  at(ms: number): number;
  ticks: readonly { ms: number; text: string }[];
}

interface Span {
  from: number;
  to: number;
  /** When the conversion happened. */
  middle: number;
  zone: string;
}

/** Time as it is. */
export function linearScale({ from, to, zone }: Span): Scale {
  const room = Math.max(to - from, 1000) * 0.04;
  const [start, length] = [from - room, Math.max(to - from, 1000) + 2 * room];
  const step = STEPS.find((one) => length / one <= MAX_TICKS) ?? STEPS.at(-1)!;
  const ticks: { ms: number; text: string }[] = [];
  // Whole days and hours are of the zone's own clock.
  const first = Math.ceil((start + offsetOf(start, zone)) / step) * step;
  for (let local = first; ; local += step) {
    const ms = local - offsetOf(local - offsetOf(start, zone), zone);
    if (ms > start + length) break;
    const time = clock(ms, zone);
    const isDay = step >= DAY || time === '00:00:00';
    ticks.push({ ms, text: isDay ? shortDay(today(zone, ms)) : time.slice(0, step < MINUTE ? 8 : 5) });
  }
  return { at: (ms) => (100 * (ms - start)) / length, ticks };
}

/**
 * Time by how far it is from the conversion, so that the last minutes have as much room as the days before.
 *
 * @param nearest distance of the touch that is the nearest, in ms: what is nearer needs no room
 */
export function logScale({ from, to, middle }: Span, nearest: number): Scale {
  const near = Math.max(MIN_NEAR, nearest / 2);
  const place = (ms: number) => Math.sign(ms - middle) * Math.log1p(Math.abs(ms - middle) / near);
  const [least, most] = [place(from), place(to)];
  const room = (most - least || 1) * 0.05;
  const at = (ms: number) => (100 * (place(ms) - least + room)) / (most - least + 2 * room);
  const ticks = [
    ...AWAY.map((away) => ({ ms: middle - away, text: `${whole(away)} before` })),
    ...AWAY.map((away) => ({ ms: middle + away, text: `${whole(away)} after` })),
  ];
  return { at, ticks: ticks.filter(({ ms }) => ms >= from && ms <= to).sort((a, b) => a.ms - b.ms) };
}

/** "1 d", as all of AWAY are whole. */
function whole(ms: number): string {
  return duration(ms).replace(/ 0 \w$/, '');
}

function offsetOf(ms: number, zone: string): number {
  const whole = Math.floor(ms / 1000) * 1000;
  return Date.parse(`${today(zone, whole)}T${clock(whole, zone)}Z`) - whole;
}

/** Which of these fit beside each other, tried in their order. Positions and widths are in percent. */
export function fitting<T>(all: readonly T[], boxOf: (one: T) => readonly [left: number, right: number]): Set<T> {
  const placed: (readonly [number, number])[] = [];
  const fit = all.filter((one) => {
    const [left, right] = boxOf(one);
    const isFree = placed.every(([from, to]) => right <= from || left >= to);
    if (isFree) placed.push([left, right]);
    return isFree;
  });
  return new Set(fit);
}
