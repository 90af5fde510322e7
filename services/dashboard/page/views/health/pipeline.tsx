import type { ComponentChildren } from 'preact';
import { BASE } from '../../data/client.ts';
import { freshness } from '../../data/live.ts';
import type { Health, Readiness, Stall, Status } from '../../data/status.ts';
import { count, counted, NOTHING } from '../../format/number.ts';
import { duration } from '../../format/time.ts';
import { useStore } from '../../state/store.ts';
import { Badge, type State } from './badge.tsx';
import { eventsOf, lagOf, NO_PARTITIONS, notInserted, storedOf, sum } from './sums.ts';

type Fact = readonly [name: string, value: ComponentChildren];

/** From the gateway to ClickHouse, with what is on the way between them. */
export function Pipeline({ health }: { health: Health }) {
  const { status, readiness, rates } = health;
  const fresh = useStore(freshness);
  const events = status === undefined ? NO_PARTITIONS : eventsOf(status);
  const end = status && events.reduce((all, one) => all + one.end, 0);
  const waiting = status && sum(events.map((one) => lagOf(status, one)));
  const stored = status && storedOf(status);
  const missing = stored && notInserted(stored);
  const aside = status?.set_aside.reduce((all, { records }) => all + records, 0);
  const behind = fresh === undefined ? undefined : `${duration(fresh.lagMs)} behind`;
  return (
    <div class="card wide">
      <header>
        <h2>Pipeline</h2>
        <span class="note">{rates === undefined ? 'rates follow' : `last ${Math.round(rates.overMs / 1000)} s`}</span>
        <span class="grow" />
        {status?.traces_url !== undefined && (
          <a
            class="btn ghost"
            href={status.traces_url.includes('{') ? new URL(status.traces_url).origin : status.traces_url}
            target="_blank"
            rel="noreferrer"
          >
            Traces
          </a>
        )}
        <a class="btn ghost" href={`${BASE}/metrics`} target="_blank" rel="noreferrer">
          Metrics
        </a>
        <a class="btn ghost" href={`${BASE}/status`} target="_blank" rel="noreferrer">
          Status
        </a>
        <a class="btn ghost" href={`${BASE}/readyz`} target="_blank" rel="noreferrer">
          Ready
        </a>
      </header>
      <div class="pipe">
        <Stage
          name="Gateway"
          state={gatewayState(readiness)}
          rate={rates?.ends}
          unit="acknowledged/s"
          facts={checksOf(readiness)}
        />
        <Pipe first="durable" then="before it is acknowledged" />
        <Stage
          name="Log"
          state={logState(health)}
          rate={rates?.ends}
          unit="records/s"
          facts={[
            ['partitions', status === undefined ? NOTHING : events.length],
            ['end offsets, sum', numberText(end)],
            ['topics', status?.topics.length ?? NOTHING],
          ]}
        />
        <Pipe first={waiting === undefined ? NOTHING : counted(BigInt(waiting), 'record')} then="not folded" />
        <Stage
          name="Attribution"
          state={attributionState(health)}
          rate={rates?.folded}
          unit="folded/s"
          facts={[
            ['models', status?.models.length ?? NOTHING],
            ['window', status === undefined ? NOTHING : `${status.lookback_hours} h`],
            ['set aside', numberText(aside)],
          ]}
        />
        <Pipe
          first={missing === undefined ? NOTHING : counted(BigInt(missing), 'row')}
          then="not in yet"
          more={behind}
        />
        <Stage
          name="ClickHouse"
          state={clickhouseState(health)}
          rate={rates?.inserted}
          unit="rows/s"
          facts={[
            ['rows offered', numberText(stored && sum(stored.map((one) => one.end)))],
            ['not in yet', numberText(missing)],
            ['warnings', status?.warnings?.length ?? NOTHING],
          ]}
        />
      </div>
    </div>
  );
}

const numberText = (value: number | undefined) => (value === undefined ? NOTHING : count(BigInt(value)));

function gatewayState(readiness: Readiness | undefined): State {
  return readiness === undefined ? 'unknown' : readiness.ready ? 'ready' : 'not ready';
}

/** What the gateway's check of this name says; nothing is known of it without one. */
function stateOf(readiness: Readiness | undefined, name: string): State {
  const found = Object.entries(readiness?.checks ?? {}).find(([check]) => check.toLowerCase().includes(name));
  return found === undefined ? 'unknown' : found[1].ok ? 'ready' : 'not ready';
}

/** A status is of offsets that the log has just told. */
function logState({ status, readiness }: Health): State {
  const checked = stateOf(readiness, 'log');
  return checked === 'unknown' && status !== undefined ? 'ready' : checked;
}

function attributionState({ status, readiness }: Health): State {
  if (status === undefined) return 'unknown';
  if (isStalled(status, 'attribution')) return 'stalled';
  const checked = stateOf(readiness, 'attribution');
  return checked === 'unknown' && status.attribution.length > 0 ? 'ready' : checked;
}

function clickhouseState({ status, readiness }: Health): State {
  if (isStalled(status, 'ClickHouse')) return 'stalled';
  if ((status?.warnings?.length ?? 0) > 0) return 'warned';
  return stateOf(readiness, 'clickhouse');
}

function isStalled(status: Status | undefined, reader: Stall['reader']): boolean {
  return status?.stalls.some((stall) => stall.reader === reader) ?? false;
}

function checksOf(readiness: Readiness | undefined): Fact[] {
  if (readiness === undefined) return [['checks', NOTHING]];
  return Object.entries(readiness.checks).map(([name, { ok, reason }]) => [
    name,
    ok ? (
      'ok'
    ) : (
      <b key={name} class="failed" data-tip={reason}>
        failed
      </b>
    ),
  ]);
}

interface StageOptions {
  name: string;
  state: State;
  /** Per second. */
  rate: number | undefined;
  unit: string;
  facts: readonly Fact[];
}

function Stage({ name, state, rate, unit, facts }: StageOptions) {
  return (
    <section class="stg" aria-label={name}>
      <h3>
        {name}
        <Badge state={state} />
      </h3>
      <div class="rate">
        {rate === undefined ? NOTHING : rate.toLocaleString('en', { maximumFractionDigits: 1 })} <small>{unit}</small>
      </div>
      <dl>{facts.map(([fact, value]) => [<dt key={fact}>{fact}</dt>, <dd key={`${fact} value`}>{value}</dd>])}</dl>
    </section>
  );
}

function Pipe({ first, then, more }: { first: string; then: string; more?: string | undefined }) {
  return (
    <div class="pip">
      <b>{first}</b>
      <svg class="w" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
        <path class="flow" d="M0 5H97" />
        <path d="M93 1.5 98 5 93 8.5" />
      </svg>
      <span>{then}</span>
      {more !== undefined && <span class="full">{more}</span>}
    </div>
  );
}
