import type { Measures } from '../../data/report.ts';
import { conversions, count, money, NOTHING, percent } from '../../format/number.ts';
import { Delta, type UpIs } from '../../parts/delta.tsx';
import { SumName } from '../../reports/row-names.tsx';
import { MEASURES, type Measure, measureText } from '../../reports/series.ts';
import { changeOf } from './measures.tsx';

interface Options {
  name: string;
  /** What it is of, such as "11 campaigns"; beside the name, or in the column of sources. */
  of?: string;
  now: Measures;
  before?: Measures | undefined;
  total: Measures;
  isCompared: boolean;
  /** There is a column of sources. */
  hasSources: boolean;
  /** Conversions without a click have none. */
  hasClicks?: boolean;
  hasRate?: boolean;
  /** Its share of all credit is said. */
  isShared?: boolean;
  upIs?: UpIs;
  /** Lists what it sums up. */
  onOpen?: () => void;
}

/** A sum at the bottom of the table, in its columns. */
export function SumRow(options: Options) {
  const {
    name,
    of,
    now,
    before,
    total,
    isCompared,
    hasSources,
    hasClicks = true,
    hasRate = hasClicks,
    isShared = false,
    onOpen,
  } = options;
  const texts: Readonly<Record<Measure, string>> = {
    clicks: hasClicks ? count(now.clicks) : NOTHING,
    conversions: conversions(now.conversions),
    revenue: money(now.revenue),
    cvr: hasRate ? percent(now.conversions, now.clicks * 1_000_000n, 2) : NOTHING,
  };
  return (
    <tr>
      <th scope="row" class="stick truncate">
        <SumName name={of === undefined || hasSources ? name : `${name}, ${of}`} onOpen={onOpen} />
      </th>
      {hasSources && <td class="w2">{of}</td>}
      {MEASURES.map((measure) => {
        const isKnown = texts[measure] !== NOTHING;
        const upIs = measure === 'clicks' ? 'even' : (options.upIs ?? 'good');
        return [
          <td key={measure} class="num" data-l={measure} data-tip={isKnown ? measureText(now, measure) : undefined}>
            {texts[measure]}
          </td>,
          isCompared && (
            <td key={`${measure} change`} class="dl">
              {isKnown && before !== undefined && <Delta of={changeOf(measure, now, before)} upIs={upIs} />}
            </td>
          ),
        ];
      })}
      <td class="deco w2">
        {isShared && total.conversions > 0n && (
          <span class="share">
            <span />
            <span>100.0%</span>
          </span>
        )}
      </td>
      <td class="deco w2" />
    </tr>
  );
}
