import type { Mesh } from '../../data/mesh.ts';
import { modelOf, reportRequest, useReport } from '../../data/report.ts';
import { useUrl } from '../../state/url.ts';

/** Where clicks come from changes seldom. */
const GOOD_FOR_MS = 60_000;

/** Sources of the clicks of campaigns, those with the most clicks first; undefined of those that are not known. */
export type Sources = ReadonlyMap<string, readonly string[]>;

const NOT_KNOWN: Sources = new Map();

/**
 * Of every campaign, whatever else than the source is filtered: daily_stats answers that. Nothing is asked before the
 * table has its rows, so that these do not wait for it, and only of rows by campaign.
 */
export function useSources(mesh: Mesh, by: string, hasRows: boolean): Sources | undefined {
  const state = useUrl();
  const isAsked = by === 'campaign_id';
  const filters = state.filters.filter(({ dimension }) => dimension === 'source');
  const question = { interval: 'none', groupBy: [by, 'source'], models: [modelOf(state, mesh)], orderBy: '-clicks' };
  const request = reportRequest({ ...state, filters }, mesh, question);
  const { value: report } = useReport(isAsked && hasRows ? request : undefined, GOOD_FOR_MS);
  if (!isAsked) return undefined;
  // Of more than are listed some would seem to have fewer.
  if (report === undefined || report.nextPageToken !== '') return NOT_KNOWN;
  const byName = Map.groupBy(report.rows, ({ values }) => values[0]!);
  return new Map(Array.from(byName, ([name, rows]) => [name, rows.map(({ values }) => values[1]!)]));
}
