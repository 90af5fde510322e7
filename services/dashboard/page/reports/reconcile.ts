import { useEffect, useRef } from 'preact/hooks';
import type { ReportRow, RunReportResponse } from '../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { refresh } from '../data/query.ts';
import { count, exact } from '../format/number.ts';

/** Pause before answers that differ are asked again, in ms: they may be of different moments. */
const AGAIN_MS = 1000;

/** Whether all that is shown adds up, and if not, what does not. */
export interface Reconciled {
  state: 'yes' | 'no' | 'unknown';
  text: string;
}

const YES: Reconciled = { state: 'yes', text: 'reconciles' };

/**
 * Compares rows with the totals of their answer, its models with each other, and its totals with those of the tiles.
 * Two answers are of two moments: only what differs twice, the numbers being the same, does.
 *
 * @param tiles the answer that the tiles show, if there are some
 */
export function useReconciled(report: RunReportResponse, tiles?: RunReportResponse): Reconciled {
  const own = faultInside(report);
  const between = tiles === undefined ? undefined : faultBetween(tiles, report);
  const seen = useRef<{ fault: string; tiles?: RunReportResponse; report?: RunReportResponse; isTwice: boolean }>(
    undefined,
  );
  if (between === undefined) seen.current = undefined;
  else if (seen.current?.fault !== between) seen.current = { fault: between, tiles: tiles!, report, isTwice: false };
  else if (seen.current.tiles !== tiles && seen.current.report !== report) seen.current.isTwice = true;
  const isTwice = seen.current?.isTwice ?? false;
  useEffect(() => {
    if (between === undefined || isTwice) return;
    const timer = setTimeout(refresh, AGAIN_MS);
    return () => clearTimeout(timer);
  }, [between, isTwice]);
  if (own !== undefined) return { state: 'no', text: own };
  if (between === undefined) return YES;
  return isTwice
    ? { state: 'no', text: between }
    : { state: 'unknown', text: 'tiles and rows are of different moments' };
}

/** What of an answer contradicts itself. */
function faultInside({ rows, totals, totalRows, stamp }: RunReportResponse): string | undefined {
  if (totals === undefined) return undefined;
  const of = totals.models.map(({ conversionsMicros }) => conversionsMicros);
  const isAlike = new Set(stamp?.modelsSince).size <= 1;
  const other = of.findIndex((one) => one !== of[0]);
  if (isAlike && other > 0) {
    const [first, differs] = [totals.models[0]!.model, totals.models[other]!.model];
    return `${first} shares out ${exact(of[0]!)} conversions, ${differs} ${exact(of[other]!)}`;
  }
  if (BigInt(rows.length) !== totalRows) return undefined;
  const clicks = rows.reduce((sum, row) => sum + row.clicks, 0n);
  if (clicks !== totals.clicks) return `rows have ${count(clicks)} clicks, their total ${count(totals.clicks)}`;
  for (const [i, model] of totals.models.entries()) {
    const sum = rows.reduce((all, row) => all + (row.models[i]?.conversionsMicros ?? 0n), 0n);
    if (sum !== model.conversionsMicros)
      return `rows have ${exact(sum)} conversions, their total ${exact(model.conversionsMicros)}`;
    const revenue = rows.reduce((all, row) => all + (row.models[i]?.revenueMicros ?? 0n), 0n);
    if (revenue !== model.revenueMicros)
      return `rows have ${exact(revenue, 2)} of revenue, their total ${exact(model.revenueMicros, 2)}`;
  }
  return undefined;
}

function faultBetween(tiles: RunReportResponse, report: RunReportResponse): string | undefined {
  const fault = faultOf(tiles.totals, report.totals, 'attributed');
  return fault ?? faultOf(tiles.unattributed, report.unattributed, 'unattributed');
}

function faultOf(tile: ReportRow | undefined, sum: ReportRow | undefined, what: string): string | undefined {
  if (tile === undefined || sum === undefined) return undefined;
  if (tile.clicks !== sum.clicks) return `tiles say ${count(tile.clicks)} clicks, the table ${count(sum.clicks)}`;
  const [a, b] = [tile.models[0], sum.models[0]];
  if (a?.conversionsMicros !== b?.conversionsMicros)
    return `tiles say ${exact(a?.conversionsMicros ?? 0n)} ${what} conversions, the table ${exact(b?.conversionsMicros ?? 0n)}`;
  if (a?.revenueMicros !== b?.revenueMicros)
    return `tiles say ${exact(a?.revenueMicros ?? 0n, 2)} ${what} revenue, the table ${exact(b?.revenueMicros ?? 0n, 2)}`;
  return undefined;
}
