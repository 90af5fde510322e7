import type { ReportRow } from '../../../../gen/ts/clickmesh/v1/reports_pb.js';
import type { Mesh } from '../data/mesh.ts';
import { type Question, reportRequest, useReport } from '../data/report.ts';
import { useUrl } from '../state/url.ts';
import { below } from './dimensions.ts';

/** A row of a table by a dimension, or one under that which is open. */
export interface Line {
  key: string;
  name: string;
  row: ReportRow;
  isChild: boolean;
  /** Its dimensions. */
  of: Readonly<Record<string, string>>;
}

interface Options {
  mesh: Mesh;
  by: string;
  rows: readonly ReportRow[];
  /** What is asked about rows under the one that is open. */
  question: Omit<Question, 'interval' | 'groupBy' | 'only'>;
}

/** The rows, and those under the one that is open. */
export function useLines({ mesh, by, rows, question }: Options): Line[] {
  const state = useUrl();
  const under = below(by);
  const open = under === undefined ? undefined : rows.find(({ values }) => values[0] === state.own.open)?.values[0];
  const request = reportRequest(state, mesh, {
    ...question,
    interval: 'none',
    groupBy: [under ?? by],
    only: { dimension: by, values: [open ?? ''] },
  });
  const { value: children } = useReport(open === undefined ? undefined : request);
  return rows.flatMap((row) => {
    const name = row.values[0]!;
    const line = { key: name, name, row, isChild: false, of: { [by]: name } };
    if (open !== name || children === undefined || under === undefined) return [line];
    const lines = children.rows.map((child) => {
      const own = child.values[0]!;
      return { key: `${name}\n${own}`, name: own, row: child, isChild: true, of: { [by]: name, [under]: own } };
    });
    return [line, ...lines];
  });
}
