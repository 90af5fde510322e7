import type { ReportRow } from '../../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { measuresOf } from '../../data/report.ts';
import { conversions, count, exact, NOTHING, plain } from '../../format/number.ts';
import { ModelCell } from '../../parts/model-cell.tsx';
import { ModelName } from '../../parts/model-name.tsx';
import { Strip } from '../../parts/strip.tsx';
import type { Column } from '../../parts/table.tsx';
import type { Line } from '../../reports/lines.ts';
import { nameColumn } from '../../reports/row-names.tsx';
import { changeOwn } from '../../state/url.ts';
import type { Touched } from './touched.ts';

/** What a cell says. */
export type Show = 'both' | 'conversions' | 'revenue';

interface Options {
  by: string;
  models: readonly string[];
  touched: Touched | undefined;
  baseline: string;
  show: Show;
  gross: boolean;
  lines: readonly Line[];
  /** There is little room. */
  isNarrow: boolean;
  /** Name of the row that is open. */
  open: string;
  /** The cell whose conversions are listed, as `cellOf` has it. */
  cell: string;
}

/** Names a cell in the address. */
export function cellOf({ key }: Line, model: string): string {
  return `${model}\n${key}`;
}

export function columnsOf(options: Options): Column<Line>[] {
  return [
    nameColumn(options.by, options.open),
    ...(options.touched === undefined ? [] : [touchedColumn(options.touched)]),
    ...options.models.map((model) => modelColumn(options, model)),
    stripColumn(options),
    spreadColumn(options),
  ];
}

/** Rows under one that is open are of another dimension. */
function touchedColumn({ byName }: Touched): Column<Line> {
  return {
    key: 'touched',
    head: 'Touched',
    width: 74,
    className: 'num soft w2',
    headClass: 'num w2',
    tip: 'conversions with a touch of it in their window, whoever is credited',
    cell: ({ name, isChild }) => (isChild || byName === undefined ? NOTHING : count(byName.get(name) ?? 0n)),
  };
}

function modelColumn(options: Options, model: string): Column<Line> {
  const { models, baseline, show, gross, cell, isNarrow } = options;
  const [at, from] = [models.indexOf(model), models.indexOf(baseline)];
  return {
    key: at === 0 ? 'conversions' : `conversions.${model}`,
    head: (
      <span>
        <ModelName model={model} />
        <small>{model === baseline ? <span class="basetag">baseline</span> : `vs ${baseline}`}</small>
      </span>
    ),
    label: model,
    className: 'mc',
    headClass: `mh model ${model}`,
    width: (model === baseline ? 112 : 154) - (isNarrow ? 26 : 0),
    sortable: true,
    cell: (line) => {
      const { conversions: number, revenue } = measuresOf(line.row, gross, at);
      return (
        <ModelCell
          model={model}
          conversions={number}
          revenue={revenue}
          baseline={model === baseline ? undefined : measuresOf(line.row, gross, from)}
          show={show}
          name={line.name}
          isSelected={cell === cellOf(line, model)}
          onOpen={() => changeOwn({ cell: cellOf(line, model) })}
        />
      );
    },
  };
}

/** Differences to the baseline as parts of it, on one scale for all rows. */
function stripColumn({ models, baseline, gross, lines }: Options): Column<Line> {
  const from = models.indexOf(baseline);
  const sharesOf = ({ row }: Line) => {
    const base = plain(measuresOf(row, gross, from).conversions);
    if (base === 0) return undefined;
    return models.map((_, i) => plain(measuresOf(row, gross, i).conversions) / base - 1);
  };
  const all = lines.flatMap((line) => sharesOf(line) ?? []);
  // One that more than doubles would leave no room for the others.
  const least = Math.max(-1, Math.min(0, ...all));
  const most = Math.min(1.1, Math.max(0.1, ...all));
  const at = (share: number) => (Math.max(least, Math.min(most, share)) - least) / (most - least);
  const text = (share: number) => `${share < 0 ? '−' : '+'}${Math.abs(Math.round(100 * share))}%`;
  return {
    key: 'strip',
    head: (
      <span>
        Compared
        <small>
          {text(least)} to {text(most)}
        </small>
      </span>
    ),
    className: 'deco w2 mcs',
    width: 132,
    cell: (line) => {
      const shares = sharesOf(line);
      if (shares === undefined) return null;
      return <Strip values={models.map((model, i) => [model, at(shares[i]!)])} baseline={at(0)} />;
    },
  };
}

function spreadColumn({ models, gross }: Options): Column<Line> {
  return {
    key: 'spread',
    head: 'Spread',
    width: 86,
    className: 'num strong',
    sortable: true,
    tip: 'the greatest less the least number of conversions under the models',
    cell: ({ row }) => {
      const spread = spreadOf(row, models, gross);
      return <span data-tip={exact(spread)}>{conversions(spread)}</span>;
    },
  };
}

export function spreadOf(row: ReportRow, models: readonly string[], gross: boolean): bigint {
  let [least, most] = [measuresOf(row, gross).conversions, measuresOf(row, gross).conversions];
  for (let i = 1; i < models.length; i++) {
    const { conversions: own } = measuresOf(row, gross, i);
    if (own < least) least = own;
    if (own > most) most = own;
  }
  return most - least;
}
