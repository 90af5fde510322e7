import type { Mesh } from '../../data/mesh.ts';
import { measuresOf, modelOf, reportRequest, useReport } from '../../data/report.ts';
import { plain } from '../../format/number.ts';
import { periodsOf } from '../../format/periods.ts';
import { type Days, daysIn, today } from '../../format/time.ts';
import type { Line } from '../../reports/lines.ts';
import { useUrl } from '../../state/url.ts';

/** Rows at the top that have a line: each is a row of the answer for every period. */
const ROWS = 32;
/** Lines follow later than numbers, so that these come sooner. */
const GOOD_FOR_MS = 20_000;

/** Conversions by period of rows. */
export interface Sparks {
  byName: ReadonlyMap<string, readonly number[]>;
  /** The newest period is not over. */
  isOpen: boolean;
}

export function useSparks(mesh: Mesh, by: string, lines: readonly Line[], days: Days): Sparks {
  const state = useUrl();
  const length = daysIn(days);
  const interval = length <= 2 ? 'hour' : length <= 62 ? 'day' : length <= 400 ? 'week' : 'month';
  const names = lines.flatMap(({ name, isChild }) => (isChild ? [] : [name])).slice(0, ROWS);
  const request = reportRequest(state, mesh, {
    interval,
    groupBy: [by],
    models: [modelOf(state, mesh)],
    // In an order of their own: another order of the same rows is no other question.
    only: { dimension: by, values: names.toSorted() },
  });
  const { value: report } = useReport(names.length === 0 ? undefined : request, GOOD_FOR_MS);
  const byName = new Map<string, number[]>();
  if (report === undefined) return { byName, isOpen: false };
  const zone = report.stamp?.timeZone ?? 'UTC';
  const periods = periodsOf(days, interval, zone);
  const places = new Map(periods.map(({ date }, i) => [date, i]));
  for (const name of names) byName.set(name, Array<number>(periods.length).fill(0));
  for (const row of report.rows) {
    const place = places.get(row.date);
    const values = byName.get(row.values[0]!);
    if (place !== undefined && values !== undefined) values[place] = plain(measuresOf(row, state.gross).conversions);
  }
  return { byName, isOpen: days.end >= today(zone) };
}
