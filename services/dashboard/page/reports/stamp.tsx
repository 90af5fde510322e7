import type { RunReportRequest, RunReportResponse } from '../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { TimeBasis } from '../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { lastAudit } from '../data/audit.ts';
import { curlOf, reportUrl, statsCommandOf } from '../data/links.ts';
import { count, exact, money } from '../format/number.ts';
import { addDays, dateTime, duration, shortDay, today } from '../format/time.ts';
import { Icon } from '../parts/icon.tsx';
import { Popover } from '../parts/popover.tsx';
import { copy } from '../parts/toast.tsx';
import { useStore } from '../state/store.ts';
import { useUrl } from '../state/url.ts';
import { type Reconciled, useReconciled } from './reconcile.ts';

interface Options {
  report: RunReportResponse;
  request: RunReportRequest;
  /** The answer that the tiles show, if there are some. */
  tiles?: RunReportResponse | undefined;
}

const DAY_MS = 86_400_000;

/** Under a table: that it reconciles, and how it was counted. */
export function Stamp({ report, request, tiles }: Options) {
  const reconciled = useReconciled(report, tiles);
  const { stamp, totals, unattributed } = report;
  if (stamp === undefined || totals === undefined) return null;
  const { conversionsMicros = 0n, grossConversionsMicros = 0n, refundsMicros = 0n } = totals.models[0] ?? {};
  const lost = unattributed?.models[0];
  const net = conversionsMicros + (lost?.conversionsMicros ?? 0n);
  const gross = grossConversionsMicros + (lost?.grossConversionsMicros ?? 0n);
  const refunded = refundsMicros + (lost?.refundsMicros ?? 0n);
  const settled = settledThrough(report);
  return (
    <div class="stamp">
      <Reconciles {...reconciled} />
      {gross !== net && (
        <span>
          {exact(gross)} gross − {exact(gross - net)} retracted = <b>{exact(net)}</b>
        </span>
      )}
      <span>
        refunded <b>{money(refunded)}</b>
      </span>
      <span>
        invalid clicks <b>{count(totals.invalidClicks)}</b>
      </span>
      <span>
        lookback <b>{lookbackText(report)}</b>
      </span>
      <span>
        {stamp.rollup === 'events' ? 'counted from the events' : 'from '}
        {stamp.rollup !== 'events' && <b>{stamp.rollup}</b>}
        {stamp.rollupSince > 0n && ` since ${shortDay(today(stamp.timeZone, Number(stamp.rollupSince)))}`}
      </span>
      {settled !== undefined && (
        <span>
          settled through <b>{shortDay(settled)}</b>
        </span>
      )}
      {stamp.truncated > 0n && (
        <span class="warned">{count(stamp.truncated)} conversions shared among their newest clicks only</span>
      )}
      <Popover label="How this was counted" className="method" buttonClass="linkish" button="How was this counted?">
        {() => <Method report={report} request={request} />}
      </Popover>
    </div>
  );
}

function Reconciles({ state, text }: Reconciled) {
  if (state === 'yes') {
    return (
      <span class="ok" data-tip="Tiles, rows, what is not shown and what is unattributed make up the same sums.">
        <Icon name="check" small />
        {text}
      </span>
    );
  }
  return (
    <span class={state === 'no' ? 'warned' : ''} role={state === 'no' ? 'alert' : undefined}>
      {state === 'no' && <Icon name="warn" small />}
      {text}
    </span>
  );
}

/** The last day that late events no longer change; undefined if that is not known. */
function settledThrough({ stamp }: RunReportResponse): string | undefined {
  if (!stamp?.completeThrough || stamp.changesForMs === 0n) return undefined;
  const since = Number(stamp.completeThrough - stamp.changesForMs);
  return addDays(today(stamp.timeZone, since), -1);
}

function lookbackText({ stamp }: RunReportResponse): string {
  const all = stamp?.lookbacks ?? [];
  const text = ({ conversionType, lookbackMs }: (typeof all)[number]) =>
    `${all.length === 1 ? '' : `${conversionType || 'others'} `}${Number(lookbackMs) / 3_600_000} h`;
  return all.map(text).join(', ') || '–';
}

function Method({ report, request }: Options) {
  const audit = useStore(lastAudit);
  const { gross } = useUrl();
  const { stamp } = report;
  if (stamp === undefined) return null;
  const zone = stamp.timeZone;
  const since = (ms: bigint) => (ms === 0n ? 'from the first event on' : `since ${dateTime(Number(ms), zone)}`);
  const settled = settledThrough(report);
  return (
    <>
      <h3>How this was counted</h3>
      <p>
        Every acknowledged event counts once. Credit moves when a late click, a refund or a verdict says so; both are on
        record.
      </p>
      <dl>
        <dt>Complete to</dt>
        <dd>
          {stamp.completeThrough === 0n
            ? 'nothing has arrived yet'
            : `${dateTime(Number(stamp.completeThrough), zone)} ${zone}, ${duration(Number(stamp.lagMs))} behind`}
        </dd>
        <dt>{stamp.models.length === 1 ? 'Model' : 'Models'}</dt>
        <dd>
          {stamp.models.map((model, i) => (
            <div key={model}>
              {model}, {since(stamp.modelsSince[i] ?? 0n)}
            </div>
          ))}
        </dd>
        <dt>Lookback</dt>
        <dd>{lookbackText(report)}</dd>
        <dt>Days</dt>
        <dd>of {zone}</dd>
        <dt>Dated by</dt>
        <dd>{request.timeBasis === TimeBasis.CLICK ? 'the credited click' : 'conversion; clicks by click'}</dd>
        <dt>Read from</dt>
        <dd>
          {stamp.rollup}, {since(stamp.rollupSince)}
        </dd>
        <dt>May still change</dt>
        <dd>
          {settled !== undefined && `days after ${shortDay(settled)}, by late events; `}
          any of the last {Math.round(Number(stamp.correctionsForMs) / DAY_MS)} days, by refunds and verdicts
        </dd>
        <dt>Last audit</dt>
        <dd>
          {audit === undefined
            ? 'none by this browser'
            : `${dateTime(audit.finishedAt, zone)}, ${audit.checks} checks, ${audit.differing} rows differ`}
        </dd>
        {stamp.currency !== '' && (
          <>
            <dt>Currency</dt>
            <dd>{stamp.currency}</dd>
          </>
        )}
      </dl>
      <div class="rowf">
        <button type="button" class="btn" onClick={() => copy(curlOf(reportUrl(request)), 'Copied as curl')}>
          <Icon name="curl" />
          Copy as curl
        </button>
        <button
          type="button"
          class="btn"
          onClick={() => copy(statsCommandOf(request, gross), 'Copied as clickmesh stats')}
        >
          <Icon name="copy" />
          Copy as clickmesh stats
        </button>
      </div>
    </>
  );
}
