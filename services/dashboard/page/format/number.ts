/** Micros of one. */
const ONE = 1_000_000n;
/** What stands for sums of money beyond 2^63 - 1. */
const MOST = 2n ** 63n - 1n;

/** What is said of what is not known, or means nothing. */
export const NOTHING = '–';

/** 1234567n as "1,234,567". */
export function count(value: bigint): string {
  return value
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',')
    .replace('-', '−');
}

/** "1 campaign", "2 campaigns". */
export function counted(value: bigint, what: string): string {
  return `${count(value)} ${what}${value === 1n ? '' : 's'}`;
}

/** Micros with this many decimals, rounded half away from zero: to be shown beside `exact`. */
export function rounded(micros: bigint, places: number): string {
  const unit = 10n ** BigInt(6 - places);
  const size = micros < 0n ? -micros : micros;
  const units = (size + unit / 2n) / unit;
  const scale = 10n ** BigInt(places);
  const whole = count(units / scale);
  const sign = micros < 0n && units > 0n ? '−' : '';
  const beyond = micros === MOST ? '≥ ' : '';
  return beyond + sign + (places === 0 ? whole : `${whole}.${(units % scale).toString().padStart(places, '0')}`);
}

/** Micros with as many decimals as they have, and at least `places`. */
export function exact(micros: bigint, places = 0): string {
  const size = micros < 0n ? -micros : micros;
  const decimals = (size % ONE).toString().padStart(6, '0').replace(/0+$/, '').padEnd(places, '0');
  const sign = micros < 0n ? '−' : '';
  return `${micros === MOST ? '≥ ' : ''}${sign}${count(size / ONE)}${decimals === '' ? '' : `.${decimals}`}`;
}

/** Micros as a number of JSON or CSV, with all digits. */
export function decimal(micros: bigint): string {
  return exact(micros).replaceAll(',', '').replace('−', '-');
}

/** Conversions are whole, or in fractions of a hundredth where a model shares them. */
export function conversions(micros: bigint): string {
  return micros % ONE === 0n ? count(micros / ONE) : rounded(micros, 2);
}

export function money(micros: bigint): string {
  return rounded(micros, 2);
}

/** A ratio of two whole numbers in percent; a dash if there is nothing to divide by. */
export function percent(part: bigint, whole: bigint, places = 1): string {
  return whole === 0n ? NOTHING : `${rounded((part * 100n * ONE) / whole, places)}%`;
}

/** For axes: 15000 as "15 k". */
export function compact(value: number): string {
  const size = Math.abs(value);
  const [unit, name] = size >= 1e9 ? [1e9, ' G'] : size >= 1e6 ? [1e6, ' M'] : size >= 1e3 ? [1e3, ' k'] : [1, ''];
  return `${Number((value / unit).toPrecision(4))}${name}`;
}

/** "417 MB"; with a decimal below ten. */
export function bytes(size: number): string {
  const [unit, name] = size >= 1e9 ? [1e9, 'GB'] : size >= 1e6 ? [1e6, 'MB'] : size >= 1e3 ? [1e3, 'kB'] : [1, 'B'];
  return `${(size / unit).toLocaleString('en', { maximumFractionDigits: size / unit < 10 ? 1 : 0 })} ${name}`;
}

export interface Change {
  way: 'up' | 'down' | 'even' | 'new' | 'unknown';
  text: string;
}

/** What has become so many times as much is told in times: percents of it are hard to read, and long. */
const MANY_TIMES = 11n;

/** How much more `now` is than `before`, in percent of that. */
export function change(now: bigint, before: bigint | undefined): Change {
  if (before === undefined) return { way: 'unknown', text: NOTHING };
  if (before === 0n) return now === 0n ? { way: 'unknown', text: NOTHING } : { way: 'new', text: 'new' };
  if (before > 0n && now >= MANY_TIMES * before) {
    const times = (now * ONE) / before;
    return { way: 'up', text: `×${rounded(times, times < 100n * ONE ? 1 : 0)}` };
  }
  const difference = now - before;
  const text = percent(difference < 0n ? -difference : difference, before < 0n ? -before : before);
  return { way: text === '0.0%' ? 'even' : difference > 0n ? 'up' : 'down', text };
}

/** The difference of two rates, each of micros, in percentage points. */
export function pointChange(now: bigint | undefined, before: bigint | undefined): Change {
  if (now === undefined || before === undefined) return { way: 'unknown', text: NOTHING };
  const difference = now - before;
  const points = rounded((difference < 0n ? -difference : difference) * 100n, 2);
  // What shows as nothing has no way.
  const isEven = difference === 0n || points === '0.00';
  return { way: isEven ? 'even' : difference > 0n ? 'up' : 'down', text: `${points} pp` };
}

/** A part of a whole in micros; undefined if there is nothing to divide by. */
export function rate(part: bigint, whole: bigint): bigint | undefined {
  return whole === 0n ? undefined : part / whole;
}

/** As a number for drawing, which is not exact. */
export function plain(micros: bigint): number {
  return Number(micros) / 1e6;
}
