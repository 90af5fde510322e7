import type { ComponentChildren } from 'preact';
import { freshness } from '../../data/live.ts';
import { count } from '../../format/number.ts';
import { clock, duration } from '../../format/time.ts';
import { useStore } from '../../state/store.ts';
import { type Counted, SECONDS, type Second } from './seconds.ts';
import type { Tail } from './use-tail.ts';

const TILES: readonly [of: Counted, title: string][] = [
  ['clicks', 'Clicks'],
  ['conversions', 'Conversions'],
  ['corrections', 'Corrections'],
];

/** What arrived in each of the last 60 seconds, by the clock of the log. */
export function Rates({ tail, zone, isFiltered }: { tail: Tail; zone: string; isFiltered: boolean }) {
  const fresh = useStore(freshness);
  const isKnown = tail.connection.is !== 'connecting' || tail.events.rows.length > 0;
  const seconds = tail.seconds.list(Date.now());
  const through = fresh?.completeThrough ?? 0;
  return (
    <div class="big">
      {TILES.map(([of, title]) => (
        <Rate key={of} title={title} of={of} {...{ seconds, zone, through, isKnown, isFiltered }} />
      ))}
      <Lag lags={tail.lags} now={fresh?.lagMs} />
    </div>
  );
}

interface RateOptions {
  title: string;
  of: Counted;
  seconds: readonly Second[];
  zone: string;
  /** Until when all is counted, in ms since 1970-01-01 UTC. */
  through: number;
  isKnown: boolean;
  isFiltered: boolean;
}

function Rate({ title, of, seconds, zone, through, isKnown, isFiltered }: RateOptions) {
  const sum = seconds.reduce((all, second) => all + second[of], 0n);
  const most = Math.max(1, ...seconds.map((second) => Number(second[of])));
  const bars = seconds.map((second) => ({
    height: (100 * Number(second[of])) / most,
    isOpen: second.time + 1000 > through && second[of] > 0n,
    tip: `${clock(second.time, zone)}  ${count(second[of])}`,
  }));
  const note = isKnown ? `${count(sum)} in ${SECONDS} s${isFiltered ? ', unfiltered' : ''}` : undefined;
  const value = Number(sum) / SECONDS;
  return (
    <Tile title={title} note={note} bars={bars}>
      {isKnown ? value.toLocaleString('en', { maximumFractionDigits: value < 1 ? 2 : 1 }) : '–'}
      <small>per second</small>
    </Tile>
  );
}

function Lag({ lags, now }: { lags: readonly (number | undefined)[]; now: number | undefined }) {
  const most = Math.max(1, ...lags.map((lag) => lag ?? 0));
  const bars = Array.from({ length: SECONDS }, (_, i) => {
    const lag = lags[i - SECONDS + lags.length];
    return {
      height: lag === undefined ? 0 : (100 * lag) / most,
      isOpen: false,
      tip: lag === undefined ? 'not watched' : `${SECONDS - 1 - i} s ago  ${duration(lag)}`,
    };
  });
  const known = lags.filter((lag) => lag !== undefined);
  const note = known.length === 0 ? undefined : `most ${duration(Math.max(...known))}, ${known.length} s seen`;
  return (
    <Tile title="Event to number" note={note} bars={bars}>
      {now === undefined ? '–' : duration(now)}
      <small>lag now</small>
    </Tile>
  );
}

interface TileOptions {
  title: string;
  note: string | undefined;
  bars: readonly { height: number; isOpen: boolean; tip: string }[];
  children: ComponentChildren;
}

function Tile({ title, note, bars, children }: TileOptions) {
  return (
    <div class="card">
      <div class="lab">
        {title}
        <span>{note}</span>
      </div>
      <div class="val">{children}</div>
      <div class="sec" role="img" aria-label={`${title}, each of the last ${SECONDS} seconds: ${note ?? 'not known'}`}>
        {bars.map(({ height, isOpen, tip }, i) => (
          <i key={i} class={isOpen ? 'part' : ''} style={{ '--h': `${height}%` }} data-tip={tip} />
        ))}
      </div>
      <div class="secx">
        <span>{SECONDS} s ago</span>
        <span>{SECONDS / 2}</span>
        <span>now</span>
      </div>
    </div>
  );
}
