import { lastAudit } from '../data/audit.ts';
import { freshness } from '../data/live.ts';
import { mesh } from '../data/mesh.ts';
import { ago, clock, dateTime, duration, today } from '../format/time.ts';
import { Icon } from '../parts/icon.tsx';
import { useStore } from '../state/store.ts';
import { useUrl } from '../state/url.ts';

/** Lag from which on the numbers are called late, in ms. */
const LATE_MS = 30_000;

/** Until when everything is counted, how far behind that is, and what the last audit said. */
export function Freshness() {
  const fresh = useStore(freshness);
  const audit = useStore(lastAudit);
  const known = useStore(mesh);
  const zone = useUrl().zone || known?.zone || 'UTC';
  if (fresh === undefined) return <Chip icon="dots" text={['waiting for the mesh']} />;
  const { completeThrough, lagMs, lostSince } = fresh;
  if (known?.isEmpty || completeThrough === 0) return <Chip icon="dots" text={['ready', 'no events yet']} />;
  const isLate = lagMs > LATE_MS || lostSince !== undefined;
  const isToday = today(zone, completeThrough) === today(zone);
  const time = isToday ? clock(completeThrough, zone) : dateTime(completeThrough, zone);
  const says = audit === undefined ? 'not audited' : audit.differing === 0 ? 'clean' : `${audit.differing} rows differ`;
  const tip = `Every event accepted until ${dateTime(completeThrough, zone)} ${zone} is in these numbers.${
    audit === undefined ? '' : `\nLast audit ${dateTime(audit.finishedAt, zone)}, ${audit.checks} checks, ${says}.`
  }`;
  return (
    <span
      class={`chip ${audit !== undefined && audit.differing > 0 ? 'bad' : isLate ? 'late' : ''}`}
      data-tip={tip}
      role="status"
      aria-live="off"
    >
      <span class="st">
        <Icon name={isLate || (audit !== undefined && audit.differing > 0) ? 'warn' : 'check'} small />
      </span>
      <span>
        complete through <b>{time}</b>
      </span>
      <i />
      <span>{lostSince === undefined ? <Lag ms={lagMs} /> : <b>reconnecting</b>}</span>
      <i />
      <span>
        {audit === undefined ? (
          says
        ) : (
          <>
            audit <b>{says}</b> {ago(audit.finishedAt)}
          </>
        )}
      </span>
    </span>
  );
}

function Lag({ ms }: { ms: number }) {
  return (
    <>
      lag <b>{duration(ms)}</b>
    </>
  );
}

function Chip({ icon, text }: { icon: 'dots'; text: readonly string[] }) {
  return (
    <span class="chip" role="status">
      <span class="st none">
        <Icon name={icon} small />
      </span>
      <span>{text.join(', ')}</span>
    </span>
  );
}
