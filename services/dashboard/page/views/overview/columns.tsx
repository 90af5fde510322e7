import { NO_VALUE } from '../../../../contract/shown.ts';
import { type Measures, measuresOf } from '../../data/report.ts';
import { conversions, count, exact, money, NOTHING, percent } from '../../format/number.ts';
import { Delta } from '../../parts/delta.tsx';
import { Spark } from '../../parts/spark.tsx';
import type { Column } from '../../parts/table.tsx';
import type { Line } from '../../reports/lines.ts';
import { nameColumn } from '../../reports/row-names.tsx';
import { type Measure, measureText } from '../../reports/series.ts';
import { changeOf } from './measures.tsx';
import type { Sources } from './sources.ts';
import type { Sparks } from './sparks.ts';

interface Options {
  by: string;
  totals: Measures;
  /** Conversions of the row that has the most, in micros. */
  most: bigint;
  /** Undefined where rows are by something else than what has them. */
  sources: Sources | undefined;
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
  const { gross, isCompared, sources } = options;
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
    ...(sources === undefined ? [] : [sourceColumn(sources)]),
    ...measured('clicks', 'Clicks', 96, ({ clicks }) => count(clicks)),
    ...measured('conversions', 'Conversions', 108, (of) => conversions(of.conversions)),
    ...measured('revenue', 'Revenue', 120, ({ revenue }) => money(revenue)),
    ...measured('cvr', 'CVR', 74, (of) => percent(of.conversions, of.clicks * 1_000_000n, 2)),
    shareColumn(options),
    sparkColumn(options),
  ];
}

/** Where the clicks of a campaign come from: most have one source. */
function sourceColumn(sources: Sources): Column<Line> {
  return {
    key: 'source',
    head: 'Source',
    width: 104,
    className: 'soft w2',
    headClass: 'w2',
    cell: ({ name, isChild }) => {
      if (isChild) return <span class="muted">ad</span>;
      const [first, ...others] = (sources.get(name) ?? []).map((source) => source || NO_VALUE);
      if (first === undefined) return <span class="muted">{NOTHING}</span>;
      const more = others.length === 0 ? '' : ` +${others.length}`;
      return (
        <span class="source" data-tip={`clicks come from ${[first, ...others].join(', ')}`}>
          <span class="truncate">{first}</span>
          {more}
        </span>
      );
    },
  };
}

function changeColumn(measure: Measure, gross: boolean): Column<Line> {
  return {
    key: `${measure} change`,
    head: <span class="sr">change of {measure}</span>,
    label: 'change',
    width: 70,
    className: 'dl',
    cell: ({ row }) => {
      const before = row.previous && measuresOf(row.previous, gross);
      const was = before && measureText(before, measure);
      const of = changeOf(measure, measuresOf(row, gross), before ?? { clicks: 0n, conversions: 0n, revenue: 0n });
      return <Delta of={of} upIs={measure === 'clicks' ? 'even' : 'good'} {...(was !== undefined && { was })} />;
    },
  };
}

/** Bars are of the greatest share. */
function shareColumn({ totals, most, gross, model }: Options): Column<Line> {
  return {
    key: 'share',
    head: 'Share of credit',
    width: 126,
    className: 'deco w2',
    cell: ({ row }) => {
      const { conversions: own } = measuresOf(row, gross);
      const share = percent(own, totals.conversions);
      const width = most === 0n ? 0 : Number((own * 10_000n) / most) / 100;
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
    width: 106,
    className: 'deco w2',
    cell: ({ name, isChild }) => {
      const values = isChild ? undefined : sparks.byName.get(name);
      return values === undefined ? null : <Spark values={values} open={sparks.isOpen} model={model} />;
    },
  };
}
