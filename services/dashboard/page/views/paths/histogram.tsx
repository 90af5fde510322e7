import { useState } from 'preact/hooks';
import type { LagBucket } from '../../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { conversions, exact, percent } from '../../format/number.ts';
import { duration } from '../../format/time.ts';

/** What the last bucket reaches to has no end, beyond this, in ms. */
const NO_END = 50 * 365 * 86_400_000;
const MAX_TICKS = 7;

interface Options {
  buckets: readonly LagBucket[];
  marks: readonly (readonly [name: string, ms: bigint | undefined, title: string])[];
}

/** Shares by how long it took, in buckets of unequal length; over them the cumulative share on an axis of its own. */
export function Histogram({ buckets, marks }: Options) {
  const [at, setAt] = useState<number>();
  const all = buckets.reduce((sum, { conversionsMicros }) => sum + conversionsMicros, 0n);
  const shares = buckets.map(({ conversionsMicros }) => Number(conversionsMicros) / Number(all));
  const top = niceTop(Math.max(...shares));
  const sums = shares.map((_, i) => shares.slice(0, i + 1).reduce((sum, share) => sum + share, 0));
  const last = buckets.length - 1;
  function pressed(event: KeyboardEvent) {
    const to = { ArrowLeft: (at ?? last + 1) - 1, ArrowRight: (at ?? -1) + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    setAt(Math.max(0, Math.min(last, to)));
  }
  const texts = buckets.map((bucket, i) => textOf(bucket, all, buckets.slice(0, i + 1)));
  const line = sums.map((sum, i) => `L${((i + 1) * 100) / buckets.length} ${100 - 100 * sum}`).join('');
  return (
    // biome-ignore lint/a11y/useSemanticElements: no element is a chart
    <div
      class="histo"
      role="group"
      aria-roledescription="chart"
      aria-label="Conversions by time from click; left and right arrow keys read it bucket by bucket"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: arrows read it
      tabIndex={0}
      onKeyDown={pressed}
      onBlur={() => setAt(undefined)}
    >
      <div class="plot" aria-hidden="true">
        {[0.25, 0.5, 0.75, 1].map((part) => (
          <span key={part} class="grid" style={{ bottom: `${100 * part}%` }}>
            <span>{Number((100 * top * part).toPrecision(3))}%</span>
            <em>{100 * part}%</em>
          </span>
        ))}
        <div class="bars">
          {shares.map((share, i) => (
            <i key={i} class={i === at ? 'cur' : ''} data-tip={texts[i]}>
              {share > 0 && <b style={{ '--h': `${(100 * share) / top}%` }} />}
            </i>
          ))}
        </div>
        <svg class="line" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
          <path class="cum" d={`M0 100${line}`} />
        </svg>
        {placed(buckets, marks).map(([name, x]) => (
          <span key={name} class="pmark" style={{ left: `${x}%` }}>
            <span>{name}</span>
          </span>
        ))}
      </div>
      <div class="edges" aria-hidden="true">
        {edgesOf(buckets).map(({ x, text }) => (
          <span key={x} style={{ left: `${x}%` }}>
            {text}
          </span>
        ))}
      </div>
      <p class="sr" aria-live="polite">
        {at !== undefined && texts[at]?.replaceAll('\n', ', ')}
      </p>
      {at !== undefined && <p class="reading">{texts[at]?.replaceAll('\n', ' · ')}</p>}
      <p class="legend" aria-hidden="true">
        <span>
          <i class="sw bar" />
          share of conversions, unequal buckets
        </span>
        <span>
          <i class="sw ln ink" />
          cumulative, right axis
        </span>
      </p>
    </div>
  );
}

/** The least round share that holds all, in [0, 1]. */
function niceTop(most: number): number {
  return [0.04, 0.08, 0.12, 0.2, 0.28, 0.4, 0.6, 0.8].find((top) => top >= most) ?? 1;
}

function textOf({ fromMs, toMs, ...bucket }: LagBucket, all: bigint, upTo: readonly LagBucket[]): string {
  const [from, to] = [Number(fromMs), Number(toMs)];
  const range = to > NO_END ? `${edge(from)} or more` : `${edge(from)} to ${edge(to)}`;
  const sum = upTo.reduce((total, { conversionsMicros }) => total + conversionsMicros, 0n);
  return [
    range,
    `${conversions(bucket.conversionsMicros)} conversions, ${percent(bucket.conversionsMicros, all)}`,
    `${exact(bucket.revenueMicros, 2)} revenue`,
    `${percent(sum, all)} until then`,
  ].join('\n');
}

/** "5 m", "1 d": begins of buckets are whole. */
function edge(ms: number): string {
  return ms === 0
    ? '0'
    : duration(ms)
        .replace(/ 0 \w$/, '')
        .replace('.0', '');
}

function edgesOf(buckets: readonly LagBucket[]): { x: number; text: string }[] {
  const every = Math.ceil(buckets.length / MAX_TICKS);
  return buckets.flatMap(({ fromMs }, i) =>
    i % every === 0 ? [{ x: (100 * i) / buckets.length, text: edge(Number(fromMs)) }] : [],
  );
}

/** Where marks are: within their bucket by their share of its length. */
function placed(buckets: readonly LagBucket[], marks: Options['marks']): [name: string, x: number][] {
  const spots = marks.flatMap(([name, ms]): [string, number][] => {
    const i = ms === undefined ? -1 : buckets.findIndex(({ fromMs, toMs }) => ms >= fromMs && ms < toMs);
    if (i < 0) return [];
    const { fromMs, toMs } = buckets[i]!;
    return [[name, (100 * (i + Number(ms! - fromMs) / Number(toMs - fromMs))) / buckets.length]];
  });
  // Those at about the same place share a name.
  return spots.reduce<[string, number][]>((kept, [name, x]) => {
    const last = kept.at(-1);
    if (last !== undefined && x - last[1] < 9) last[0] = `${last[0]} ${name}`;
    else kept.push([name, x]);
    return kept;
  }, []);
}
