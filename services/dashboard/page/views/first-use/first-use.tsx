import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { BASE, stats } from '../../data/client.ts';
import { askMesh, type Mesh } from '../../data/mesh.ts';
import { refresh } from '../../data/query.ts';
import { conversions, count, money, NOTHING, percent } from '../../format/number.ts';
import { duration } from '../../format/time.ts';
import { Icon } from '../../parts/icon.tsx';
import { copy, toast } from '../../parts/toast.tsx';
import { MEASURE_TITLES, MEASURES, type Measure } from '../../reports/series.ts';
import { changeOwn } from '../../state/url.ts';
import { snippets } from './snippets.ts';
import { CAMPAIGN, runTrial, type Trial } from './trial.ts';

/** Pause between two looks whether an event has come, in ms. */
const LOOK_MS = 2000;

const STEPS: readonly [title: string, about: (models: number) => string][] = [
  ['Click accepted', () => 'durable: the answer comes after the fsync'],
  ['Purchase accepted', () => 'same user, one hour later'],
  ['Attributed', (models) => `by ${models === 1 ? 'one model' : `${models} models, each to the same click`}`],
  ['On this page', () => 'counted in what you will see'],
];

/** How to send the first event, and a button that does. */
export function FirstUse({ mesh }: { mesh: Mesh }) {
  const [trial, setTrial] = useState<Trial>();
  useEffect(() => {
    // Events may come from elsewhere, and be of other days than those that are shown.
    if (!mesh.isEmpty) return;
    const timer = setTimeout(askMesh, LOOK_MS);
    return () => clearTimeout(timer);
  }, [mesh]);
  return (
    <div class="view first">
      <div class="head">
        <h2>Send the first event</h2>
        <p>
          clickmesh runs at <span class="mono">{BASE}</span> and waits. A click and the purchase that follows it are
          attributed, counted and on this page about a second later.
        </p>
      </div>
      <div class="card ghost">
        <div class="kpis">
          {MEASURES.map((measure) => (
            <div key={measure} class={`kpi ${trial?.counted ? 'on' : ''}`}>
              <span class="lab">{MEASURE_TITLES[measure]}</span>
              <span class="val">{countedText(trial, measure)}</span>
            </div>
          ))}
        </div>
      </div>
      <Try mesh={mesh} trial={trial} setTrial={setTrial} />
      <Code />
      <More />
    </div>
  );
}

function countedText(trial: Trial | undefined, measure: Measure): string {
  const counted = trial?.counted;
  if (counted === undefined) return NOTHING;
  if (measure === 'clicks') return count(counted.clicks);
  if (measure === 'conversions') return conversions(counted.conversions);
  if (measure === 'revenue') return money(counted.revenue);
  return percent(counted.conversions, counted.clicks * 1_000_000n, 2);
}

interface TryOptions {
  mesh: Mesh;
  trial: Trial | undefined;
  setTrial(trial: Trial): void;
}

function Try({ mesh, trial, setTrial }: TryOptions) {
  const isRunning = trial !== undefined && trial.error === undefined && trial.counted === undefined;
  const isDone = trial?.counted !== undefined;
  function open() {
    changeOwn({ send: '' });
    askMesh();
    refresh();
  }
  return (
    <div class="card try">
      <h3>Try it from here</h3>
      <p>
        Sends one click and one purchase of 19.99 by a test user to campaign <span class="mono">{CAMPAIGN}</span>. They
        stay in the log like any event.
      </p>
      <button
        type="button"
        id="send-test"
        class="btn primary lg"
        disabled={isRunning}
        onClick={() => {
          if (isDone) return open();
          // It stays when there is something to show.
          changeOwn({ send: 'true' });
          runTrial(stats, mesh, (next) => {
            setTrial(next);
            if (next.counted !== undefined) toast(`Counted after ${duration(next.done.at(-1)!)}`);
          });
        }}
      >
        {isRunning ? 'Waiting for them to appear' : isDone ? 'Open the overview' : 'Send a test click and purchase'}
      </button>
      <ol class="steps" aria-live="polite">
        {STEPS.map(([title, about], i) => {
          const time = trial?.done[i];
          const isNext = isRunning && trial.done.length === i;
          return (
            <li key={title} class={time !== undefined ? 'done' : isNext ? 'run' : ''}>
              <span class="b">{time === undefined ? i + 1 : <Icon name="check" small />}</span>
              <span>
                <span class="t">{title}</span>
                <small>{about(mesh.models.length)}</small>
              </span>
              <time>{time === undefined ? '' : duration(time)}</time>
            </li>
          );
        })}
      </ol>
      {trial?.error !== undefined && (
        <p class="failed" role="alert">
          {trial.error}
        </p>
      )}
    </div>
  );
}

function Code() {
  const all = snippets(BASE);
  const [language, setLanguage] = useState('curl');
  const [, code] = all.find(([name]) => name === language)!;
  return (
    <div class="card codecard">
      <div class="hd">
        <div>
          <h3>Or from your code</h3>
          <p>Every way in checks, stores and answers the same.</p>
        </div>
        <button type="button" class="btn" onClick={() => copy(code, 'Copied')}>
          <Icon name="copy" />
          Copy
        </button>
      </div>
      <div class="tabs" role="tablist" aria-label="Language">
        {all.map(([name]) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`tab-${name}`}
            aria-controls="snippet"
            aria-selected={name === language}
            onClick={() => setLanguage(name)}
          >
            {name}
          </button>
        ))}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <pre class="code" id="snippet" role="tabpanel" aria-labelledby={`tab-${language}`} tabIndex={0}>
        {code}
      </pre>
    </div>
  );
}

function More() {
  return (
    <div class="links">
      <Way title="Look around with sample data" about="20,000 events of journeys with refunds and verdicts.">
        <code>{'npx clickmesh generate --events 20000 > j.ndjson\nnpx clickmesh replay j.ndjson'}</code>
      </Way>
      <Way title="Bring events you have" about="NDJSON, plain or gzipped; safe to run again.">
        <code>npx clickmesh replay events.ndjson.gz</code>
      </Way>
      <Way
        title="Build a client"
        about="Typed SDKs for TypeScript, Python, Go and Java, or the contract itself, which gRPC reflection tells, too."
      >
        <code>
          <a href={`${BASE}/openapi.json`}>/openapi.json</a>
        </code>
      </Way>
    </div>
  );
}

function Way({ title, about, children }: { title: string; about: string; children: ComponentChildren }) {
  return (
    <div class="card">
      <b>{title}</b>
      <p>{about}</p>
      {children}
    </div>
  );
}
