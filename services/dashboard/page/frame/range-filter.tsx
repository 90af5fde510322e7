import type { Mesh } from '../data/mesh.ts';
import { zoneOf } from '../data/report.ts';
import { daysText, isDay, today } from '../format/time.ts';
import { Pill } from '../parts/pill.tsx';
import { Popover } from '../parts/popover.tsx';
import { daysOf, PRESETS } from '../state/range.ts';
import { change, DEFAULT_RANGE, useUrl } from '../state/url.ts';

/** Zones that are offered beside the mesh's and the browser's own. */
const ZONES = ['UTC', 'America/New_York', 'America/Los_Angeles', 'Europe/Berlin', 'Asia/Kolkata', 'Asia/Tokyo'];

/** Which days, of which time zone. */
export function RangeFilter({ mesh }: { mesh: Mesh }) {
  const state = useUrl();
  const days = daysOf(state, today(zoneOf(state, mesh)));
  return (
    <Popover label="Range" className="presets" button={<Pill value={daysText(days)} />}>
      {(close) => (
        <>
          <ul>
            {PRESETS.map(([name, title]) => (
              <li key={name}>
                <button
                  type="button"
                  aria-pressed={state.range === name}
                  onClick={() => {
                    change({ range: name, start: '', end: '' });
                    close();
                  }}
                >
                  {title}
                </button>
              </li>
            ))}
          </ul>
          <Dates mesh={mesh} />
        </>
      )}
    </Popover>
  );
}

function Dates({ mesh }: { mesh: Mesh }) {
  const state = useUrl();
  const { start, end } = daysOf(state, today(zoneOf(state, mesh)));
  const set = (from: string, to: string) => {
    if (isDay(from) && isDay(to)) change({ range: '', start: from <= to ? from : to, end: from <= to ? to : from });
    else if (from === '' && to === '') change({ range: DEFAULT_RANGE, start: '', end: '' });
  };
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const zones = [...new Set([mesh.zone, own, ...ZONES, ...(state.zone ? [state.zone] : [])])];
  return (
    <div class="f">
      <div class="two">
        <label class="field">
          From
          <input type="date" value={start} onChange={({ currentTarget }) => set(currentTarget.value, end)} />
        </label>
        <label class="field">
          To, inclusive
          <input type="date" value={end} onChange={({ currentTarget }) => set(start, currentTarget.value)} />
        </label>
      </div>
      <label class="field">
        Time zone
        <select
          value={zoneOf(state, mesh)}
          onChange={({ currentTarget: { value } }) => change({ zone: value === mesh.zone ? '' : value })}
        >
          {zones.map((zone) => (
            <option key={zone} value={zone}>
              {zone}
              {zone === mesh.zone ? ', from rollups' : zone === own ? ', of this browser' : ''}
            </option>
          ))}
        </select>
      </label>
      <p class="hint">Another time zone than the mesh's is counted from the events: exact, slower, and bounded.</p>
    </div>
  );
}
