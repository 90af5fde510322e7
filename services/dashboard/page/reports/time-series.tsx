import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { useStore } from '../state/store.ts';
import { colours } from '../state/theme.ts';
import type { Bucket } from './bucket.ts';
import { drawBars, drawLines } from './chart-marks.ts';

interface Options {
  label: string;
  model: string;
  buckets: readonly Bucket[];
  /** Sums are bars from zero, rates are lines. */
  kind: 'bars' | 'line';
  axisText(value: number): string;
}

const HEIGHT = 188;
/** Least width of a tick's text, in pixels. */
const TICK_WIDTH = 62;

/** A chart by time. It is one stop of the Tab key; arrows, Home and End read it period by period. */
export function TimeSeries(options: Options) {
  const { label, model, buckets } = options;
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  // The newest, for what is drawn later.
  const drawn = useRef(buckets);
  drawn.current = buckets;
  const [at, setAt] = useState<number>();
  const theme = useStore(colours);
  const bucket = at === undefined ? undefined : buckets[at];
  useEffect(() => {
    const host = box.current!;
    const made = new uPlot(
      optionsOf(options, host, () => drawn.current, setAt),
      dataOf(buckets),
      host,
    );
    chart.current = made;
    const size = new ResizeObserver(() => made.setSize({ width: host.clientWidth, height: HEIGHT }));
    size.observe(host);
    return () => {
      size.disconnect();
      made.destroy();
    };
    // Made anew where more than the numbers changed.
  }, [theme, model, options.kind, buckets.length, buckets[0]?.text.split('\n')[0]]);
  useEffect(() => chart.current?.setData(dataOf(buckets)), [buckets]);
  function pressed(event: KeyboardEvent) {
    const last = buckets.length - 1;
    const now = at ?? last + 1;
    const to = { ArrowLeft: now - 1, ArrowRight: at === undefined ? last : now + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    setAt(Math.max(0, Math.min(last, to)));
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: no element is a chart
    <div
      class={`chart2 model ${model}`}
      role="group"
      aria-roledescription="chart"
      aria-label={`${label}; left and right arrow keys read it period by period`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: arrows read it
      tabIndex={0}
      onKeyDown={pressed}
      onBlur={() => setAt(undefined)}
    >
      <div ref={box} aria-hidden="true" />
      {bucket !== undefined && <Reading bucket={bucket} at={at!} chart={chart.current} />}
      <p class="sr" aria-live="polite">
        {bucket?.text.replaceAll('\n', ', ')}
      </p>
    </div>
  );
}

/** The numbers of a period, beside its column. */
function Reading({ bucket, at, chart }: { bucket: Bucket; at: number; chart: uPlot | undefined }) {
  if (chart === undefined) return null;
  const ratio = devicePixelRatio;
  const [x, next] = [chart.valToPos(at - 0.5, 'x'), chart.valToPos(at + 0.5, 'x')];
  const left = chart.bbox.left / ratio;
  const isRight = left + next + 190 > chart.width;
  const style = isRight ? { right: `${chart.width - left - x + 6}px` } : { left: `${left + next + 6}px` };
  return (
    <>
      <span class="column" style={{ left: `${left + x}px`, width: `${next - x}px` }} />
      <div class="reading" style={style}>
        {bucket.text
          .split('\n')
          .map((line, i) => (i === 0 ? <b key={line}>{line}</b> : <span key={line}>{line}</span>))}
      </div>
    </>
  );
}

function dataOf(buckets: readonly Bucket[]): uPlot.AlignedData {
  return [
    buckets.map((_, i) => i),
    buckets.map(({ value }) => value ?? null),
    buckets.map(({ previous }) => previous ?? null),
  ];
}

function optionsOf(
  { kind, axisText }: Options,
  host: HTMLElement,
  now: () => readonly Bucket[],
  setAt: (at?: number) => void,
): uPlot.Options {
  const axis = { font: `11px ${getComputedStyle(host).fontFamily}`, stroke: colourOf(host, 'var(--text-3)') };
  const line = colourOf(host, 'var(--line)');
  const range: uPlot.Range.Function = (_, least, most) => [
    kind === 'bars' ? 0 : Math.min(0, least ?? 0),
    (most ?? 0) <= 0 ? 1 : most * 1.05,
  ];
  return {
    width: host.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    padding: [8, 12, 0, 0],
    cursor: { y: false, x: false, points: { show: false }, drag: { x: false, y: false } },
    scales: { x: { time: false, range: () => [-0.5, now().length - 0.5] }, y: { range } },
    axes: [
      {
        ...axis,
        size: 26,
        gap: 4,
        grid: { show: false },
        border: { show: true, stroke: colourOf(host, 'var(--line-ctl)'), width: 1 },
        ticks: { show: false },
        splits: () => now().map((_, i) => i),
        values: (chart) => (now().length === 0 ? [] : ticksOf(now(), chart.width - 60)),
      },
      {
        ...axis,
        size: 56,
        gap: 8,
        space: 44,
        grid: { stroke: line, width: 1 },
        ticks: { show: false },
        values: (_, splits) => splits.map(axisText),
      },
    ],
    series: [
      {},
      { show: true, paths: () => null, points: { show: false } },
      { paths: () => null, points: { show: false } },
    ],
    hooks: {
      draw: [(chart) => (kind === 'bars' ? drawBars : drawLines)(chart, now(), (name) => colourOf(host, name))],
      setCursor: [({ cursor: { left = -1, idx } }) => setAt(left < 0 || idx == null ? undefined : idx)],
    },
  };
}

/** As many as there is room for, so that none touches its neighbour; the newest is always one. */
function ticksOf(buckets: readonly Bucket[], width: number): string[] {
  const room = (TICK_WIDTH * buckets.length) / Math.max(width, 1);
  const last = buckets.length - 1;
  const ticks = buckets.map(() => '');
  ticks[last] = buckets[last]!.tick;
  // From the newest, so that the regular ones stay and the first gives way.
  let next = ticks[last] === '' ? Number.POSITIVE_INFINITY : last;
  const marked = buckets.flatMap(({ tick }, i) => (tick === '' || i === last ? [] : [i]));
  const every = Math.max(1, Math.ceil((room * Math.max(1, marked.length - 1)) / Math.max(1, last)));
  marked.reverse().forEach((i, n) => {
    if (n % every !== 0 || next - i < room) return;
    ticks[i] = buckets[i]!.tick;
    next = i;
  });
  return ticks;
}

/** A colour as canvas takes it. */
function colourOf(host: HTMLElement, value: string): string {
  host.style.color = value;
  const { color } = getComputedStyle(host);
  host.style.color = '';
  return color;
}
