import { useEffect, useState } from 'preact/hooks';
import type { Connection } from '../../data/tail.ts';
import { count, counted } from '../../format/number.ts';
import { Icon } from '../../parts/icon.tsx';
import { Segment } from '../../parts/segment.tsx';
import { Notice, Refused } from '../../parts/states.tsx';
import { changeOwn, useUrl } from '../../state/url.ts';
import { EventRow } from './event-row.tsx';
import { KINDS } from './kinds.ts';
import { keyOf, MAX_ROWS } from './shown-events.ts';
import type { Tail } from './use-tail.ts';

interface Options {
  tail: Tail;
  zone: string;
  kind: string;
  isPaused: boolean;
  isHovered: boolean;
  onPause(): void;
  onHover(isHovered: boolean): void;
}

/** The newest events. Nothing moves while it is paused or the pointer is over it. */
export function Events({ tail, zone, kind, isPaused, isHovered, onPause, onHover }: Options) {
  const { rows } = tail.events;
  return (
    <div class="card col">
      <Tools kind={kind} isPaused={isPaused} onPause={onPause} />
      <Lost connection={tail.connection} />
      <section
        class="tscroll"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
        tabIndex={0}
        role="log"
        aria-label="Newest events"
        aria-live="off"
        onPointerEnter={({ pointerType }) => pointerType === 'mouse' && onHover(true)}
        onPointerLeave={() => onHover(false)}
      >
        {tail.connection.is === 'refused' && <Refused error={tail.connection.error} />}
        <table class="tail stack">
          <caption class="sr">Newest events, newest first</caption>
          <thead>
            <tr>
              <th scope="col">Arrived, {zone}</th>
              <th scope="col">Event</th>
              <th scope="col">What</th>
              <th scope="col">User</th>
              <th scope="col" class="num">
                Value
              </th>
              <th scope="col">Became</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((event) => (
              <EventRow key={keyOf(event)} event={event} zone={zone} />
            ))}
          </tbody>
        </table>
        {rows.length === 0 && tail.connection.is === 'open' && <None />}
      </section>
      <Foot tail={tail} isPaused={isPaused} isHovered={isHovered} />
    </div>
  );
}

function None() {
  return (
    <Notice title="No event in the last two minutes">
      <p>What arrives shows here within two seconds.</p>
    </Notice>
  );
}

function Tools({ kind, isPaused, onPause }: Pick<Options, 'kind' | 'isPaused' | 'onPause'>) {
  const { own } = useUrl();
  return (
    <header>
      <h2>Events</h2>
      <Segment
        label="Kind"
        value={kind}
        options={KINDS.map(([name, title]) => [name, title] as const)}
        onChange={(next) => changeOwn({ kind: next === 'all' ? '' : next })}
      />
      {own.user && (
        <span class="pillbox on">
          <span class="pill on">
            <span class="k">User</span>
            <span class="v m">{own.user}</span>
          </span>
          <button type="button" class="x" aria-label="All users" onClick={() => changeOwn({ user: '' })}>
            <Icon name="close" small />
          </button>
        </span>
      )}
      <span class="grow" />
      <label class="search">
        <Icon name="search" small />
        <input
          placeholder="Filter events"
          aria-label="Filter events"
          value={own.q ?? ''}
          onInput={({ currentTarget }) => changeOwn({ q: currentTarget.value })}
        />
      </label>
      <button type="button" class="btn" id="pause" aria-pressed={isPaused} onClick={onPause}>
        <Icon name={isPaused ? 'play' : 'pause'} />
        <span>{isPaused ? 'Resume' : 'Pause'}</span> <kbd>space</kbd>
      </button>
    </header>
  );
}

/** That the stream is lost, and when it is asked for again. */
function Lost({ connection }: { connection: Connection }) {
  const [, render] = useState({});
  const isLost = connection.is === 'lost';
  useEffect(() => {
    if (!isLost) return;
    const timer = setInterval(() => render({}), 1000);
    return () => clearInterval(timer);
  }, [isLost]);
  if (!isLost) return null;
  const seconds = (ms: number) => Math.max(0, Math.round(ms / 1000));
  return (
    <div class="banner" role="status">
      <Icon name="warn" small />
      <span>
        Connection lost {seconds(Date.now() - connection.since)} s ago, trying again in{' '}
        {seconds(connection.retryAt - Date.now())} s. What is below is older.
      </span>
    </div>
  );
}

function Foot({ tail: { events }, isPaused, isHovered }: Pick<Options, 'tail' | 'isPaused' | 'isHovered'>) {
  const { waiting, skipped, rows } = events;
  return (
    <div class="stamp">
      <span>
        <b>{count(BigInt(rows.length))}</b> shown, the newest {MAX_ROWS} at most
      </span>
      {skipped > 0n && (
        <span>
          <b>{count(skipped)}</b> not listed: more than {MAX_ROWS} came at a time
        </span>
      )}
      {(isPaused || isHovered) && (
        <span class="waiting">
          {isPaused ? 'paused' : 'paused under the pointer'}, <b class="n">{counted(waiting, 'event')}</b> waiting
        </span>
      )}
    </div>
  );
}
