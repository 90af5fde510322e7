import type { ReportRow, RunReportResponse } from '../../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { type Measures, measuresOf, minus, NONE, plus } from '../../data/report.ts';
import { count, NOTHING } from '../../format/number.ts';
import { ModelCell } from '../../parts/model-cell.tsx';
import { listUnattributed } from '../../reports/conversions-drawer.tsx';
import type { Line } from '../../reports/lines.ts';
import { SumName } from '../../reports/row-names.tsx';
import { useUrl } from '../../state/url.ts';
import type { Show } from './columns.tsx';
import type { Touched } from './touched.ts';

interface Options {
  report: RunReportResponse;
  models: readonly string[];
  touched: Touched | undefined;
  show: Show;
  lines: readonly Line[];
}

/** All models share out the same conversions: their sums are one. */
export function Foot({ report, models, touched, show, lines }: Options) {
  const { gross } = useUrl();
  const { totals, unattributed, totalRows } = report;
  const shown = lines.filter(({ isChild }) => !isChild);
  const isPart = BigInt(shown.length) !== totalRows;
  const all = models.map((_, i) => measuresOf(totals, gross, i));
  const lost = models.map(() => (unattributed ? measuresOf(unattributed, gross) : NONE));
  const sums = models.map((_, i) =>
    sumOf(
      shown.map(({ row }) => row),
      gross,
      i,
    ),
  );
  const of = { models, show, hasTouched: touched !== undefined };
  return (
    <>
      {isPart && <Sum {...of} name={`Shown, ${shown.length} of ${count(totalRows)}`} values={sums} />}
      {isPart && <Sum {...of} name="Other" values={all.map((one, i) => minus(one, sums[i]!))} />}
      <Sum {...of} name="Attributed" values={all} touched={touched?.all} />
      {unattributed && <Sum {...of} name="Unattributed" values={lost} onOpen={listUnattributed} />}
      <Sum {...of} name="All conversions" values={all.map((one, i) => plus(one, lost[i]!))} />
    </>
  );
}

function sumOf(rows: readonly ReportRow[], gross: boolean, model: number): Measures {
  return rows.reduce((sum, row) => plus(sum, measuresOf(row, gross, model)), NONE);
}

interface SumOptions {
  name: string;
  models: readonly string[];
  show: Show;
  values: readonly Measures[];
  hasTouched: boolean;
  /** Conversions with a touch, of all rows together: one may have touches of several. */
  touched?: bigint | undefined;
  /** Lists what it sums up. */
  onOpen?: () => void;
}

function Sum({ name, models, show, values, hasTouched, touched, onOpen }: SumOptions) {
  return (
    <tr>
      <th scope="row" class="stick">
        <SumName name={name} onOpen={onOpen} />
      </th>
      {hasTouched && <td class="num w2">{touched === undefined ? NOTHING : count(touched)}</td>}
      {models.map((model, i) => (
        <td key={model} class="mc" data-l={model}>
          <ModelCell
            model={model}
            conversions={values[i]!.conversions}
            revenue={values[i]!.revenue}
            show={show}
            name={name}
          />
        </td>
      ))}
      <td class="deco w2 mcs" />
      <td class="num" />
    </tr>
  );
}
