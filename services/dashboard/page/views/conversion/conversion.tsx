import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { useState } from 'preact/hooks';
import {
  ExplainConversionRequestSchema,
  type ExplainConversionResponse,
} from '../../../../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { BASE, stats } from '../../data/client.ts';
import { type Mesh, mesh } from '../../data/mesh.ts';
import { useQuery } from '../../data/query.ts';
import { zoneOf } from '../../data/report.ts';
import { useShownUrl } from '../../data/shown.ts';
import { count, exact, money } from '../../format/number.ts';
import { dateTime, duration, shortDateTime } from '../../format/time.ts';
import { Icon } from '../../parts/icon.tsx';
import { Loading, Refused, StaleBanner } from '../../parts/states.tsx';
import { copy } from '../../parts/toast.tsx';
import { useStore } from '../../state/store.ts';
import { go, useUrl } from '../../state/url.ts';
import { Found } from './found.tsx';
import { History } from './history.tsx';
import { RawEvents } from './raw-events.tsx';
import { Timeline } from './timeline.tsx';
import { TouchTable } from './touch-table.tsx';
import { touchesOf } from './touches.ts';

/** Why the credit of a conversion is where it is. */
export function Conversion() {
  const known = useStore(mesh);
  return known === undefined ? null : <Known mesh={known} />;
}

function Known({ mesh: known }: { mesh: Mesh }) {
  const state = useUrl();
  const { id = '', user = '' } = state.own;
  const zone = zoneOf(state, known);
  const request = create(ExplainConversionRequestSchema, { conversionId: id, userId: user });
  const key = id === '' ? undefined : `explain ${JSON.stringify([id, user])}`;
  const answer = useQuery(key, (signal) => stats.explainConversion(request, { signal }));
  const { value: explained, error, staleError, isOld } = answer;
  const asked = { conversion_id: id, ...(user === '' ? {} : { user_id: user }) };
  useShownUrl(id === '' ? undefined : `${BASE}/api/v1/explain?${new URLSearchParams(asked)}`);
  const isUnknown = error !== undefined && ConnectError.from(error).code === Code.NotFound;
  return (
    <div class="view">
      <Search id={id} key={id} />
      {id === '' && <Found mesh={known} zone={zone} />}
      {id !== '' && explained === undefined && error === undefined && (
        <div class="card">
          <Loading lines={8} />
        </div>
      )}
      {isUnknown && <Found mesh={known} zone={zone} asked={id} />}
      {error !== undefined && !isUnknown && (
        <div class="card">
          <Refused error={error} />
        </div>
      )}
      <StaleBanner error={staleError} />
      {id !== '' && explained?.decision !== undefined && (
        <div class={isOld ? 'old' : ''}>
          <Explained explained={explained} zone={zone} tracesUrl={known.tracesUrl} />
        </div>
      )}
    </div>
  );
}

function Search({ id }: { id: string }) {
  const [text, setText] = useState(id);
  return (
    <form
      class="findrow"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() !== '') go('conversion', { id: text.trim() });
      }}
    >
      <label class="search">
        <Icon name="search" small />
        <input
          type="search"
          placeholder="Conversion or user id"
          aria-label="Conversion or user id"
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
        <kbd>/</kbd>
      </label>
      <button type="submit" class="btn">
        Explain
      </button>
    </form>
  );
}

interface ExplainedOptions {
  explained: ExplainConversionResponse;
  zone: string;
  tracesUrl: string | undefined;
}

function Explained({ explained, zone, tracesUrl }: ExplainedOptions) {
  const touches = touchesOf(explained);
  const of = { explained, touches, zone };
  return (
    <div class="explain">
      <div class="col">
        <Summary explained={explained} zone={zone} tracesUrl={tracesUrl} />
        <Timeline {...of} />
        <TouchTable {...of} />
      </div>
      <div class="col">
        <History {...of} />
        <RawEvents explained={explained} zone={zone} />
      </div>
    </div>
  );
}

/** Why, in one sentence, and what was decided when. */
function Summary({ explained, zone, tracesUrl }: ExplainedOptions) {
  const { summary, netValueMicros: net, attributed } = explained;
  const { conversionId, conversionType, valueMicros, ...decision } = explained.decision!;
  const sentence = `${summary[0]?.toUpperCase() ?? ''}${summary.slice(1)}.`;
  return (
    <section class="card sum" aria-label="Summary">
      <div class="l1">
        <span class="tag good">{conversionType}</span>
        <h2 class="mono">{conversionId}</h2>
        <button
          type="button"
          class="copy"
          aria-label="Copy the id"
          data-tip="Copy the id"
          onClick={() => copy(conversionId, 'Id copied')}
        >
          <Icon name="copy" small />
        </button>
        <span class="grow" />
        <span class="amt" data-tip={`${exact(net, 2)} net, ${exact(valueMicros, 2)} as it was sent`}>
          {net !== valueMicros && <s>{money(valueMicros)}</s>} {money(net)}
          {net !== valueMicros && <small> {decision.retracted ? 'retracted' : 'net of adjustments'}</small>}
        </span>
      </div>
      <p class="why">
        {!attributed && <span class="tag warn">unattributed</span>}
        {decision.truncated && (
          <span
            class="tag warn"
            data-tip="All models but first_click and last_click shared among the newest clicks only"
          >
            truncated
          </span>
        )}{' '}
        {sentence}
      </p>
      <dl class="facts2">
        <Fact name="User" value={decision.userId} />
        <Fact name="Converted" value={dateTime(Number(decision.conversionTime), zone)} />
        <Fact
          name="Window"
          value={`${duration(Number(decision.lookbackMs)).replace(/ 0 \w$/, '')}, from ${shortDateTime(
            Number(decision.conversionTime - decision.lookbackMs),
            zone,
          )}`}
        />
        <Fact name="Version" value={count(decision.version)} tip="Offset in raw-events of what caused the decision" />
        <Fact name="Caused by" value={decision.causeType || 'the conversion'} tip={decision.causeId || conversionId} />
        {explained.traceId !== '' && <Trace id={explained.traceId} url={tracesUrl} />}
      </dl>
    </section>
  );
}

/** The trace of the request that brought the conversion. */
function Trace({ id, url }: { id: string; url: string | undefined }) {
  const short = `${id.slice(0, 8)}…${id.slice(-4)}`;
  return (
    <div>
      <dt>Trace</dt>
      <dd class="mono" data-tip={id}>
        {url?.includes('{trace_id}') ? (
          <a href={url.replace('{trace_id}', id)} target="_blank" rel="noreferrer">
            {short}
          </a>
        ) : (
          <button type="button" class="linkish" onClick={() => copy(id, 'Trace id copied')}>
            {short}
          </button>
        )}
      </dd>
    </div>
  );
}

function Fact({ name, value, tip }: { name: string; value: string; tip?: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd data-tip={tip}>{value}</dd>
    </div>
  );
}
