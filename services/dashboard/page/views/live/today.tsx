import { freshness } from '../../data/live.ts';
import type { Mesh } from '../../data/mesh.ts';
import { type Measures, measuresOf, modelOf, reportRequest, useReport, zoneOf } from '../../data/report.ts';
import { conversions, count, exact, money, NOTHING, percent } from '../../format/number.ts';
import { clock, today } from '../../format/time.ts';
import { Loading, Refused, StaleBanner } from '../../parts/states.tsx';
import { useStore } from '../../state/store.ts';
import { type UrlState, useUrl } from '../../state/url.ts';

/** Campaigns listed; the others are one line. */
const LISTED = 12;
/** How long the list of campaigns is good enough, in ms. */
const LIST_GOOD_MS = 2000;

/** The sums of the day, under the filters. */
export function Today({ mesh }: { mesh: Mesh }) {
  const state = useUrl();
  const day = today(zoneOf(state, mesh));
  const ofToday: UrlState = { ...state, range: '', start: day, end: day };
  const models = [modelOf(state, mesh)];
  const sums = useReport(reportRequest(ofToday, mesh, { interval: 'none', models }));
  return (
    <div class="col">
      <div class="card">
        <header>
          <h2>Today so far</h2>
          <Until zone={zoneOf(state, mesh)} gross={state.gross} />
        </header>
        <StaleBanner error={sums.staleError} />
        {sums.error !== undefined && <Refused error={sums.error} />}
        {sums.value === undefined && sums.error === undefined && <Loading lines={4} />}
        {sums.value !== undefined && <Sums model={models[0]!} {...measuresOf(sums.value.totals, state.gross)} />}
      </div>
      <Campaigns state={ofToday} mesh={mesh} />
    </div>
  );
}

function Until({ zone, gross }: { zone: string; gross: boolean }) {
  const through = useStore(freshness)?.completeThrough ?? 0;
  const text = through === 0 ? '' : `until ${clock(through, zone)}, `;
  return <span class="note">{`${text}${gross ? 'gross' : 'net'}`}</span>;
}

function Sums({ model, clicks, conversions: converted, revenue }: Measures & { model: string }) {
  return (
    <dl class="kv">
      <dt>Clicks</dt>
      <dd>{count(clicks)}</dd>
      <dt>Conversions, {model}</dt>
      <dd data-tip={exact(converted)}>{conversions(converted)}</dd>
      <dt>Revenue</dt>
      <dd data-tip={exact(revenue, 2)}>{money(revenue)}</dd>
      <dt>Conversion rate</dt>
      <dd>{percent(converted, clicks * 1_000_000n, 2)}</dd>
    </dl>
  );
}

function Campaigns({ state, mesh }: { state: UrlState; mesh: Mesh }) {
  const models = [modelOf(state, mesh)];
  const question = { interval: 'none', groupBy: ['campaign_id'], models, orderBy: '-clicks' };
  const request = { ...reportRequest(state, mesh, question), limit: LISTED };
  const { value, error } = useReport(request, LIST_GOOD_MS);
  const rows = value?.rows.slice(0, LISTED) ?? [];
  const all = value?.totals?.clicks ?? 0n;
  const rest = all - rows.reduce((sum, { clicks }) => sum + clicks, 0n);
  const most = rows[0]?.clicks || 1n;
  const line = (name: string, clicks: bigint) => (
    <li key={name}>
      <span class="truncate">{name}</span>
      <span class="num">{clicks === 0n ? <span class="none">0</span> : count(clicks)}</span>
      <i>
        <b style={{ width: `${clicks > most ? 100 : Number((100n * clicks) / most)}%` }} />
      </i>
    </li>
  );
  return (
    <div class="card col grow">
      <header>
        <h2>Clicks by campaign</h2>
        <span class="note">today, sum {value === undefined ? NOTHING : count(all)}</span>
      </header>
      {error !== undefined && <Refused error={error} />}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <ol class="ranks" tabIndex={0} aria-label="Clicks by campaign">
        {rows.map(({ values, clicks }) => line(values[0] || '(no campaign)', clicks))}
        {rest > 0n && line(`${value!.totalRows - BigInt(rows.length)} others`, rest)}
      </ol>
    </div>
  );
}
