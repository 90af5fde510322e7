import type { RunReportResponse } from '../../../../../gen/ts/clickmesh/v1/reports_pb.js';
import type { Mesh } from '../../data/mesh.ts';
import { type Measures as Counted, measuresOf, modelOf, NONE } from '../../data/report.ts';
import { change, compact, conversions, count, money, percent, pointChange, rate } from '../../format/number.ts';
import { type Days, daysIn } from '../../format/time.ts';
import { Delta } from '../../parts/delta.tsx';
import { Spark } from '../../parts/spark.tsx';
import { bucketsOf, MEASURE_TITLES, MEASURES, type Measure, measureText } from '../../reports/series.ts';
import { TimeSeries } from '../../reports/time-series.tsx';
import { changeOwn, useUrl } from '../../state/url.ts';

interface Options {
  report: RunReportResponse;
  days: Days;
  interval: string;
  mesh: Mesh;
}

/** Tiles with the totals, which are tabs of the chart under them. */
export function Measures({ report, days, interval, mesh }: Options) {
  const state = useUrl();
  const shown = MEASURES.find((one) => one === state.own.measure) ?? 'conversions';
  const model = modelOf(state, mesh);
  const hue = shown === 'clicks' ? '' : model;
  const buckets = bucketsOf({ report, days, interval, gross: state.gross }, shown);
  const zone = report.stamp?.timeZone ?? '';
  const label = `${MEASURE_TITLES[shown]} by ${interval}, ${zone}`;
  function pressed(event: KeyboardEvent) {
    const step = { ArrowRight: 1, ArrowLeft: MEASURES.length - 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = MEASURES[(MEASURES.indexOf(shown) + step) % MEASURES.length]!;
    changeOwn({ measure: next === 'conversions' ? '' : next });
    document.getElementById(`k-${next}`)?.focus();
  }
  return (
    <>
      <div class="kpis" role="tablist" aria-label="Measure" onKeyDown={pressed}>
        {MEASURES.map((measure) => (
          <Tile key={measure} {...{ measure, report, days, interval, model }} isShown={measure === shown} />
        ))}
      </div>
      <div role="tabpanel" id="c-measure" aria-labelledby={`k-${shown}`}>
        <div class="charthead">
          <p>{label}</p>
          <Legend shown={shown} model={model} days={days} hue={hue} isCompared={state.compare !== 'none'} />
        </div>
        <TimeSeries
          label={label}
          model={hue}
          buckets={buckets}
          kind={shown === 'cvr' ? 'line' : 'bars'}
          axisText={shown === 'cvr' ? (value) => `${Number((100 * value).toFixed(2))}%` : compact}
        />
      </div>
    </>
  );
}

interface LegendOptions {
  shown: Measure;
  model: string;
  hue: string;
  days: Days;
  isCompared: boolean;
}

function Legend({ shown, model, hue, days, isCompared }: LegendOptions) {
  const state = useUrl();
  const length = daysIn(days);
  const before =
    state.compare === 'previous_year' ? 'a year before' : length === 1 ? 'the day before' : `${length} days before`;
  const isLine = shown === 'cvr';
  return (
    <div class="legend">
      <span>
        <i class={`sw model ${isLine ? 'ln' : 'bar'} ${hue}`} />
        {shown === 'clicks' ? 'valid clicks' : `credited by ${model}`}
      </span>
      {isCompared && (
        <span>
          <i class={`sw ${isLine ? 'dash' : 'tick'}`} />
          {before}
        </span>
      )}
      <span>
        <i class={`sw model hatch ${hue}`} />
        incomplete
      </span>
    </div>
  );
}

interface TileOptions {
  measure: Measure;
  report: RunReportResponse;
  days: Days;
  interval: string;
  model: string;
  isShown: boolean;
}

function Tile({ measure, report, days, interval, model, isShown }: TileOptions) {
  const { gross, compare } = useUrl();
  const now = measuresOf(report.totals, gross);
  // What counted nothing then is absent.
  const before = compare === 'none' ? undefined : measuresOf(report.totals?.previous, gross);
  const lost = report.unattributed === undefined ? NONE : measuresOf(report.unattributed, gross);
  const buckets = bucketsOf({ report, days, interval, gross }, measure);
  return (
    <button
      type="button"
      class="kpi"
      role="tab"
      id={`k-${measure}`}
      aria-selected={isShown}
      aria-controls="c-measure"
      tabIndex={isShown ? 0 : -1}
      onClick={() => changeOwn({ measure: measure === 'conversions' ? '' : measure })}
    >
      <span class="lab">
        {MEASURE_TITLES[measure]}
        {measure === 'revenue' && report.stamp?.currency && <span class="unit">{report.stamp.currency}</span>}
      </span>
      <span class="val" data-tip={measureText(now, measure)}>
        {SHORT[measure](now)}
      </span>
      <span class="under">
        <Delta of={changeOf(measure, now, before)} upIs={measure === 'clicks' ? 'even' : 'good'} />
        <span>{underOf(measure, before, lost)}</span>
      </span>
      <span class="spark">
        <Spark
          values={buckets.map(({ value }) => value)}
          open={buckets.at(-1)?.isOpen ?? false}
          model={measure === 'clicks' ? '' : model}
        />
      </span>
    </button>
  );
}

const SHORT: Readonly<Record<Measure, (of: Counted) => string>> = {
  clicks: ({ clicks }) => count(clicks),
  conversions: (of) => conversions(of.conversions),
  revenue: ({ revenue }) => money(revenue),
  cvr: (of) => percent(of.conversions, of.clicks * 1_000_000n, 2),
};

/** A rate changes by points. */
export function changeOf(measure: Measure, now: Counted, before: Counted | undefined) {
  if (measure === 'cvr') return pointChange(rateOf(now), before && rateOf(before));
  return change(now[measure], before?.[measure]);
}

/** In micros. */
export function rateOf({ conversions: micros, clicks }: Counted): bigint | undefined {
  return rate(micros, clicks);
}

function underOf(measure: Measure, before: Counted | undefined, lost: Counted): string {
  if (measure === 'conversions') return `+ ${conversions(lost.conversions)} unattributed`;
  if (before === undefined) return '';
  if (measure === 'cvr') return before.clicks === 0n ? 'of clicks' : `of clicks, was ${SHORT.cvr(before)}`;
  return `vs ${SHORT[measure](before)}`;
}
