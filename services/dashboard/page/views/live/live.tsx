import { useEffect, useState } from 'preact/hooks';
import { BASE } from '../../data/client.ts';
import { appendFilters } from '../../data/links.ts';
import { type Mesh, mesh } from '../../data/mesh.ts';
import { filtersOf, zoneOf } from '../../data/report.ts';
import { useShownUrl } from '../../data/shown.ts';
import type { TailQuery } from '../../data/tail.ts';
import { useStore } from '../../state/store.ts';
import { useUrl } from '../../state/url.ts';
import { Events } from './events.tsx';
import { KINDS } from './kinds.ts';
import { Rates } from './rates.tsx';
import { Today } from './today.tsx';
import { useTail } from './use-tail.ts';

export function Live() {
  const known = useStore(mesh);
  return known === undefined ? null : <Known mesh={known} />;
}

/** What arrives, as it arrives. */
function Known({ mesh: known }: { mesh: Mesh }) {
  const state = useUrl();
  const [isPaused, setPaused] = useState(false);
  const [isHovered, setHovered] = useState(false);
  const kind = KINDS.find(([name]) => name === state.own.kind) ?? KINDS[0]!;
  const query = { eventTypes: [...kind[2]], filters: filtersOf(state), userId: state.own.user ?? '' };
  useShownUrl(tailUrl(query));
  const tail = useTail(query, (state.own.q ?? '').toLowerCase(), isPaused || isHovered);
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const target = event.target as Element;
      if (event.key !== ' ' || target.matches('input, select, button, a') || document.querySelector('dialog[open]'))
        return;
      event.preventDefault();
      setPaused((before) => !before);
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
  return (
    <div class="view fill stackable live">
      <Rates tail={tail} zone={zoneOf(state, known)} isFiltered={state.filters.length > 0} />
      <div class="livegrid">
        <Events
          tail={tail}
          zone={zoneOf(state, known)}
          kind={kind[0]}
          isPaused={isPaused}
          isHovered={isHovered}
          onPause={() => setPaused(!isPaused)}
          onHover={setHovered}
        />
        <Today mesh={known} />
      </div>
    </div>
  );
}

/** Where REST sends the tail. */
function tailUrl({ eventTypes, filters, userId }: TailQuery): string {
  const params = new URLSearchParams(eventTypes.length === 0 ? [] : [['event_types', eventTypes.join(',')]]);
  if (userId !== '') params.set('user_id', userId);
  appendFilters(params, filters);
  return `${BASE}/api/v1/events/tail${params.size === 0 ? '' : `?${params}`}`;
}
