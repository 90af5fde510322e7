import { conversions, exact, money, percent } from '../format/number.ts';

/** What differs by more than the baseline itself is drawn with a tip. */
const FULL = 1_000_000n;

interface Options {
  model: string;
  /** In micros. */
  conversions: bigint;
  revenue: bigint;
  /** What the baseline has; undefined of the baseline itself. */
  baseline?: { conversions: bigint; revenue: bigint } | undefined;
  show: 'both' | 'conversions' | 'revenue';
  /** Whose it is, for readers and the tip. */
  name: string;
  isSelected?: boolean;
  onOpen?: (() => void) | undefined;
}

/** What a model credits something with: conversions, revenue, and the difference to the baseline on a diverging bar. */
export function ModelCell(options: Options) {
  const { model, show, baseline, name, isSelected = false, onOpen } = options;
  const [main, under] = textsOf(options);
  const measure = show === 'revenue' ? 'revenue' : 'conversions';
  const difference = baseline && differenceOf(options[measure], baseline[measure]);
  const tip = `${name} · ${model}\n${exact(options.conversions)} conversions\n${exact(options.revenue, 2)} revenue${
    difference === undefined ? '' : `\n${difference.text} to the baseline`
  }`;
  const className = `cell model ${model} ${baseline === undefined ? 'base' : ''} ${isSelected ? 'sel' : ''}`;
  const content = (
    <>
      <b>{main}</b>
      {under !== undefined && <small>{under}</small>}
      {difference !== undefined && <em>{difference.text}</em>}
      {difference?.share !== undefined && <Track share={difference.share} />}
    </>
  );
  if (onOpen === undefined) {
    return (
      <div class={className} data-tip={tip}>
        {content}
      </div>
    );
  }
  return (
    <button type="button" class={className} data-tip={tip} onClick={onOpen}>
      {content}
      <span class="sr">, list them</span>
    </button>
  );
}

function textsOf({ conversions: number, revenue, show }: Options): [string, string?] {
  if (show === 'revenue') return [money(revenue)];
  return show === 'both' ? [conversions(number), money(revenue)] : [conversions(number)];
}

/** Undefined where both are zero: there is nothing to compare. */
function differenceOf(now: bigint, before: bigint): { text: string; share?: bigint } {
  const difference = now - before;
  if (before === 0n) return { text: now === 0n ? '–' : 'new' };
  const share = (difference * FULL) / before;
  const size = percent(difference < 0n ? -difference : difference, before);
  return { text: difference === 0n ? '0.0%' : `${difference < 0n ? '−' : '+'}${size}`, share };
}

/** @param share of the baseline, in micros: drawn up to ±100 % */
function Track({ share }: { share: bigint }) {
  const size = share < 0n ? -share : share;
  const isOver = size > FULL;
  const width = Number(isOver ? FULL : size) / 2e4;
  return (
    <span class="track">
      {share !== 0n && (
        <i class={`${share < 0n ? 'neg' : 'pos'} ${isOver ? 'cap' : ''}`} style={{ width: `${width}%` }} />
      )}
    </span>
  );
}
