import { isDay } from '../format/time.ts';
import { store, useStore } from './store.ts';

export interface Filter {
  dimension: string;
  values: readonly string[];
  /** All but these. */
  exclude: boolean;
}

/** What the address bar holds: everything that decides what is shown, but for the theme. */
export interface UrlState {
  view: string;
  /** Name of a range that moves with the day, as of `PRESETS`; empty if it has dates. */
  range: string;
  start: string;
  end: string;
  compare: 'previous_period' | 'previous_year' | 'none';
  /** Empty for that which suits the range. */
  interval: string;
  /** Empty for that of the mesh. */
  zone: string;
  filters: readonly Filter[];
  /** Of views that show one; empty for the first of the mesh. */
  model: string;
  /** Of views that show several; all of the mesh when empty. */
  models: readonly string[];
  basis: 'conversion' | 'click';
  gross: boolean;
  /** What belongs to the view alone, and goes when it is left. */
  own: Readonly<Record<string, string>>;
}

export const DEFAULT_RANGE = '28d';
/** A dimension, as REST names filters: with ! after it for all but the values. */
const DIMENSION = /^(campaign_id|ad_id|source|conversion_type|metadata\..+?)(!?)$/;
const COMPARES = ['previous_period', 'previous_year', 'none'] as const;

/** Reads "#/view?name=value&…". What it does not know belongs to the view. */
export function parseHash(hash: string): UrlState {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?', 2);
  const params = new URLSearchParams(query);
  const take = (name: string) => {
    const value = params.get(name) ?? '';
    params.delete(name);
    return value;
  };
  const [start, end, compare] = [take('start_date'), take('end_date'), take('compare')];
  const isDated = isDay(start) && isDay(end) && start <= end;
  const filters: Filter[] = [];
  for (const name of new Set(params.keys())) {
    const [, dimension, mark] = DIMENSION.exec(name) ?? [];
    if (dimension === undefined) continue;
    if (filters.every((filter) => filter.dimension !== dimension))
      filters.push({ dimension, values: params.getAll(name), exclude: mark === '!' });
    params.delete(name);
  }
  return {
    view: path || 'overview',
    range: isDated ? '' : take('range') || DEFAULT_RANGE,
    ...(isDated ? { start, end } : { start: '', end: '' }),
    compare: COMPARES.find((one) => one === compare) ?? 'previous_period',
    interval: take('interval'),
    zone: take('time_zone'),
    filters,
    model: take('model'),
    models: take('models').split(',').filter(Boolean),
    basis: take('time_basis') === 'click' ? 'click' : 'conversion',
    gross: take('gross') === 'true',
    own: Object.fromEntries(params),
  };
}

/** What is as by default is left out. */
export function hashOf(state: UrlState): string {
  const params = new URLSearchParams();
  const put = (name: string, value: string) => value !== '' && params.append(name, value);
  put('range', state.range === DEFAULT_RANGE ? '' : state.range);
  put('start_date', state.start);
  put('end_date', state.end);
  put('compare', state.compare === 'previous_period' ? '' : state.compare);
  put('interval', state.interval);
  put('time_zone', state.zone);
  for (const { dimension, values, exclude } of state.filters) {
    for (const value of values) params.append(exclude ? `${dimension}!` : dimension, value);
  }
  put('model', state.model);
  put('models', state.models.join(','));
  put('time_basis', state.basis === 'click' ? 'click' : '');
  put('gross', state.gross ? 'true' : '');
  for (const [name, value] of Object.entries(state.own)) put(name, value);
  const query = params.toString();
  return `#/${state.view}${query === '' ? '' : `?${query}`}`;
}

const url = store<UrlState>(parseHash(location.hash));

const reread = () => url.set(parseHash(location.hash));
addEventListener('popstate', reread);
addEventListener('hashchange', reread);

export const useUrl = (): UrlState => useStore(url);
export const urlState = (): UrlState => url.get();

function write(next: UrlState, how: 'pushState' | 'replaceState'): void {
  history[how](null, '', hashOf(next));
  url.set(next);
}

/** Changes filters: Back does not stop here. */
export function change(of: Partial<UrlState>): void {
  write({ ...url.get(), ...of }, 'replaceState');
}

/** Changes what belongs to the view; an empty text takes it out. */
export function changeOwn(of: Readonly<Record<string, string>>): void {
  change({ own: { ...url.get().own, ...of } });
}

/** Goes to another view, which Back returns from. The filters stay. */
export function go(view: string, own: UrlState['own'] = {}): void {
  write({ ...url.get(), view, own }, 'pushState');
}

/** The address of a view with the filters of now, for links. */
export function hrefOf(view: string, own: UrlState['own'] = {}): string {
  return hashOf({ ...url.get(), view, own });
}

/** The filter of a dimension is replaced; none without values. */
export function changeFilter(dimension: string, values: readonly string[], exclude = false): void {
  const others = url.get().filters.filter((filter) => filter.dimension !== dimension);
  change({ filters: values.length === 0 ? others : [...others, { dimension, values, exclude }] });
}
