import type {
  ConversionPath,
  PathLengthResponse,
  TopPathsResponse,
} from '../../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { NO_VALUE } from '../../../../contract/shown.ts';
import { count, counted, exact, money, NOTHING, percent } from '../../format/number.ts';
import { duration } from '../../format/time.ts';
import type { Column } from '../../parts/table.tsx';

export interface Line {
  path: ConversionPath;
  /** From 1. */
  rank: number;
}

export function columnsOf({ conversions, paths }: TopPathsResponse): Column<Line>[] {
  const most = paths[0]?.conversions ?? 0n;
  return [
    { key: 'path', head: 'Path, first click to last', cell: ({ path, rank }) => <Chips path={path} rank={rank} /> },
    {
      key: 'touches',
      head: 'Steps',
      width: 54,
      className: 'num w2',
      cell: ({ path }) => `${path.steps.length}${path.longer ? '+' : ''}`,
    },
    {
      key: 'conversions',
      head: 'Conversions',
      width: 90,
      className: 'num',
      cell: ({ path }) => count(path.conversions),
    },
    {
      key: 'share',
      head: 'Share',
      width: 96,
      className: 'num',
      tip: 'Of all conversions whose paths are listed or summed up as others',
      cell: ({ path }) => (
        <span class="share">
          <i>
            <b style={{ width: most === 0n ? 0 : `${(100 * Number(path.conversions)) / Number(most)}%` }} />
          </i>
          <span>{percent(path.conversions, conversions)}</span>
        </span>
      ),
    },
    {
      key: 'revenue',
      head: 'Net revenue',
      width: 116,
      className: 'num',
      cell: ({ path }) => <span data-tip={exact(path.revenueMicros, 2)}>{money(path.revenueMicros)}</span>,
    },
    {
      key: 'lag',
      head: 'Median lag',
      width: 84,
      className: 'num',
      tip: 'From the first touch to the conversion',
      cell: ({ path }) => (
        <span data-tip={`from the first touch; from the last: ${duration(Number(path.medianLastLagMs))}`}>
          {duration(Number(path.medianLagMs))}
        </span>
      ),
    },
  ];
}

/** Steps as chips, ×n for repeats, the last one outlined. */
function Chips({ path: { steps, longer }, rank }: { path: ConversionPath; rank: number }) {
  const runs: { step: string; times: number }[] = [];
  for (const step of steps) {
    const last = runs.at(-1);
    if (last?.step === step) last.times++;
    else runs.push({ step, times: 1 });
  }
  return (
    <span class="pathrow" data-tip={`${longer ? '… → ' : ''}${steps.map((step) => step || NO_VALUE).join(' → ')}`}>
      <span class="rank">{rank}</span>
      {longer && (
        <>
          <span class="pc">…</span>
          <Arrow />
        </>
      )}
      {runs.map(({ step, times }, i) => (
        <span key={i} class="step">
          {i > 0 && <Arrow />}
          <span class={`pc ${i === runs.length - 1 ? 'end' : ''}`}>
            {step || NO_VALUE}
            {times > 1 && <b>×{times}</b>}
          </span>
        </span>
      ))}
    </span>
  );
}

function Arrow() {
  return (
    <span class="ar">
      <span aria-hidden="true">→</span>
      <span class="sr">then</span>
    </span>
  );
}

interface FootOptions {
  top: TopPathsResponse;
  lengths: PathLengthResponse | undefined;
  /** Conversions of fewer touches are not in the paths. */
  least: number;
}

/** What is shown, what is not, what has too few touches and what has none make up all conversions. */
export function Foot({ top, lengths, least }: FootOptions) {
  const shown = top.paths.reduce((sum, { conversions }) => sum + conversions, 0n);
  const revenue = top.paths.reduce((sum, { revenueMicros }) => sum + revenueMicros, 0n);
  const others = top.totalPaths - BigInt(top.paths.length);
  const lost = lengths && sumOf(lengths, 0, 0);
  const short = lengths && sumOf(lengths, 1, least - 1);
  return (
    <>
      {others > 0n && (
        <>
          <Sum name={`${counted(BigInt(top.paths.length), 'path')} shown`} of={shown} revenue={revenue} whole={top} />
          <Sum
            name={`${count(others)} other ${others === 1n ? 'path' : 'paths'}`}
            of={top.conversions - shown}
            revenue={top.revenueMicros - revenue}
            whole={top}
          />
        </>
      )}
      <Sum
        name={`${least > 1 ? 'Of so many touches' : 'Attributed'}, ${counted(top.totalPaths, 'path')}`}
        of={top.conversions}
        revenue={top.revenueMicros}
        whole={top}
      />
      {least > 1 && (
        <Sum
          name={least === 2 ? 'One touch, left out' : `1 to ${least - 1} touches, left out`}
          of={short?.conversions}
          revenue={short?.revenueMicros}
        />
      )}
      <Sum name="Unattributed, no touch" of={lost?.conversions} revenue={lost?.revenueMicros} />
      <Sum
        name="All conversions"
        of={lost && short && top.conversions + short.conversions + lost.conversions}
        revenue={lost && short && top.revenueMicros + short.revenueMicros + lost.revenueMicros}
      />
    </>
  );
}

/** Conversions of this many touches, both ends included. */
function sumOf({ buckets }: PathLengthResponse, from: number, to: number) {
  const some = buckets.filter(({ touches }) => touches >= from && touches <= to);
  return {
    conversions: some.reduce((sum, { conversions }) => sum + conversions, 0n),
    revenueMicros: some.reduce((sum, { revenueMicros }) => sum + revenueMicros, 0n),
  };
}

interface SumOptions {
  name: string;
  /** Undefined while it is not known. */
  of: bigint | undefined;
  revenue: bigint | undefined;
  /** What it is a share of. */
  whole?: TopPathsResponse;
}

function Sum({ name, of, revenue, whole }: SumOptions) {
  return (
    <tr>
      <th class="stick" scope="row">
        {name}
      </th>
      <td class="num w2" />
      <td class="num" data-l="Conversions">
        {of === undefined ? NOTHING : count(of)}
      </td>
      <td class="num" data-l={whole && 'Share'}>
        {whole && of !== undefined && percent(of, whole.conversions)}
      </td>
      <td class="num" data-l="Net revenue" data-tip={revenue === undefined ? undefined : exact(revenue, 2)}>
        {revenue === undefined ? NOTHING : money(revenue)}
      </td>
      <td class="num" />
    </tr>
  );
}
