import { type Measures, measuresOf } from '../../data/report.ts';
import { conversions, count, exact, money, percent } from '../../format/number.ts';
import { Delta } from '../../parts/delta.tsx';
import { Spark } from '../../parts/spark.tsx';
import type { Column } from '../../parts/table.tsx';
import { nameColumn } from '../../reports/row-names.tsx';
import { type Measure, measureText } from '../../reports/series.ts';
import type { Line } from './line.ts';
import { changeOf } from './measures.tsx';
import type { Sparks } from './sparks.ts';

interface Options {
  by: string;
  totals: Measures;
  sparks: Sparks;
  /** Days that are shown. */
  length: number;
  gross: boolean;
  isCompared: boolean;
  model: string;
  /** Name of the row that is open. */
  open: string;
}

export function columnsOf(options: Options): Column<Line>[] {
  const { gross, isCompared } = options;
  const measured = (measure: Measure, head: string, width: number, text: (of: Measures) => string): Column<Line>[] => [
    {
      key: measure,
      head,
      width,
      className: 'num',
      sortable: true,
      cell: ({ row }) => {
        const measures = measuresOf(row, gross);
        return <span data-tip={measureText(measures, measure)}>{text(measures)}</span>;
      },
    },
    ...(isCompared ? [changeColumn(measure, gross)] : []),
  ];
  return [
    nameColumn(options.by, options.open),
    ...measured('clicks', 'Clicks', 104, ({ clicks }) => count(clicks)),
    ...measured('conversions', 'Conversions', 116, (of) => conversions(of.conversions)),
    ...measured('revenue', 'Revenue', 128, ({ revenue }) => money(revenue)),
    ...measured('cvr', 'CVR', 74, (of) => percent(of.conversions, of.clicks * 1_000_000n, 2)),
    shareColumn(options),
    sparkColumn(options),
  ];
}

function changeColumn(measure: Measure, gross: boolean): Column<Line> {
  return {
    key: `${measure} change`,
    head: <span class="sr">change of {measure}</span>,
    label: 'change',
    width: 84,
    className: 'dl',
    cell: ({ row }) => {
      const before = row.previous && measuresOf(row.previous, gross);
      const was = before && measureText(before, measure);
      const of = changeOf(measure, measuresOf(row, gross), before ?? { clicks: 0n, conversions: 0n, revenue: 0n });
      return <Delta of={of} upIs={measure === 'clicks' ? 'even' : 'good'} {...(was !== undefined && { was })} />;
    },
  };
}

function shareColumn({ totals, gross, model }: Options): Column<Line> {
  return {
    key: 'share',
    head: 'Share of credit',
    width: 132,
    className: 'deco w2',
    cell: ({ row }) => {
      const { conversions: own } = measuresOf(row, gross);
      const share = percent(own, totals.conversions);
      const width = totals.conversions === 0n ? 0 : Number((own * 10_000n) / totals.conversions) / 100;
      return (
        <span class={`share model ${model}`} data-tip={`${exact(own)} of ${exact(totals.conversions)}`}>
          <i>
            <b style={{ width: `${width}%` }} />
          </i>
          <span>{share}</span>
        </span>
      );
    },
  };
}

function sparkColumn({ sparks, length, model }: Options): Column<Line> {
  return {
    key: 'spark',
    head: length === 1 ? 'By hour' : `${length} days`,
    width: 116,
    className: 'deco w2',
    cell: ({ name, isChild }) => {
      const values = isChild ? undefined : sparks.byName.get(name);
      return values === undefined ? null : <Spark values={values} open={sparks.isOpen} model={model} />;
    },
  };
}
