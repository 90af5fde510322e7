import { BASE } from '../../data/client.ts';
import { appendFilters } from '../../data/links.ts';
import type { Mesh } from '../../data/mesh.ts';
import { filtersOf, zoneOf } from '../../data/report.ts';
import { today } from '../../format/time.ts';
import { daysOf } from '../../state/range.ts';
import type { UrlState } from '../../state/url.ts';

/** The days and filters that all questions of the view share. */
export function scopeOf(state: UrlState, mesh: Mesh) {
  const { start, end } = daysOf(state, today(zoneOf(state, mesh)));
  return { startDate: start, endDate: end, timeZone: state.zone, filters: filtersOf(state) };
}

/** Where REST answers the paths. */
export function pathsUrl(state: UrlState, mesh: Mesh, more: Readonly<Record<string, string>>): string {
  const { startDate, endDate, timeZone, filters } = scopeOf(state, mesh);
  const params = new URLSearchParams({ start_date: startDate, end_date: endDate });
  if (timeZone !== '') params.set('time_zone', timeZone);
  appendFilters(params, filters);
  for (const [name, value] of Object.entries(more)) params.set(name, value);
  return `${BASE}/api/v1/paths?${params}`;
}
