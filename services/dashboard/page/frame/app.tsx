import { useEffect, useErrorBoundary } from 'preact/hooks';
import { BASE } from '../data/client.ts';
import { follow } from '../data/live.ts';
import { mesh } from '../data/mesh.ts';
import { modelOf, reportRequest } from '../data/report.ts';
import { Loading, Refused } from '../parts/states.tsx';
import { Tip } from '../parts/tip.tsx';
import { Toasts } from '../parts/toast.tsx';
import { useStore } from '../state/store.ts';
import { useUrl } from '../state/url.ts';
import { FilterBar } from './filter-bar.tsx';
import { Header } from './header.tsx';
import { Rail } from './rail.tsx';
import { Shortcuts, useKeyboard } from './shortcuts.tsx';
import { FIRST_VIEW, VIEWS } from './views.ts';

export function App() {
  const state = useUrl();
  const known = useStore(mesh);
  const name = state.view in VIEWS ? state.view : FIRST_VIEW;
  const { title, view: View, filters } = VIEWS[name]!;
  // Nothing can be filtered while there is nothing, or something is to be sent.
  const isFirst = known?.isEmpty || state.own.send === 'true';
  useKeyboard();
  useEffect(() => {
    document.title = `${title} · clickmesh`;
    scrollTo(0, 0);
  }, [title]);
  // What is followed is the least that says whether anything changed: the totals of all time shown.
  const totals = known && reportRequest(state, known, { interval: 'none', models: [modelOf(state, known)] });
  const followed = totals && JSON.stringify([totals.startDate, totals.endDate, totals.filters, totals.models]);
  useEffect(() => {
    if (totals === undefined) return;
    const stop = new AbortController();
    follow(totals, stop.signal);
    return () => stop.abort();
    // Text stands for the request, which is made anew at each look.
  }, [followed]);
  return (
    <>
      <button type="button" class="skip" onClick={skip}>
        Skip to content
      </button>
      <div class="app">
        <Rail current={name} />
        <div class="page">
          <Header title={title}>
            {filters.length > 0 && known && !isFirst && <FilterBar filters={filters} mesh={known} />}
          </Header>
          <main id="main" tabIndex={-1}>
            {known === undefined ? <Starting /> : <Guarded key={name} view={View} />}
          </main>
        </div>
      </div>
      <Shortcuts />
      <Tip />
      <Toasts />
    </>
  );
}

/** The address holds the view, so that it is no link to #main. */
function skip(): void {
  document.getElementById('main')!.focus();
}

function Starting() {
  return (
    <div class="view">
      <div class="card">
        <Loading />
        <p class="sr" role="status">
          waiting for {BASE}
        </p>
      </div>
    </div>
  );
}

/** A view that fails says so, and the frame stays. */
function Guarded({ view: View }: { view: (typeof VIEWS)[string]['view'] }) {
  const [error] = useErrorBoundary();
  if (error === undefined) return <View />;
  return (
    <div class="view">
      <Refused error={error} />
    </div>
  );
}
