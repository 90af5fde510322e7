import type { ExplainConversionResponse } from '../../../../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { exact, percent } from '../../format/number.ts';
import { duration, shortDateTime } from '../../format/time.ts';
import { ModelName } from '../../parts/model-name.tsx';
import { Segment } from '../../parts/segment.tsx';
import { changeOwn, useUrl } from '../../state/url.ts';
import { fitting, linearScale, logScale, type Scale } from './scale.ts';
import type { Touch } from './touches.ts';

const ONE = 1_000_000n;
/** Least width that it is drawn with, in pixels, and about that of a letter: so much room a label takes. */
const WIDTH = 600;
const LETTER = 6.3;
/** Windows that are drawn to scale beside each other. */
const MAX_WINDOWS = 4;
/** What a share of a lane takes of the width, in percent. */
const LANE_TEXT = 8;
/** Most touches that are numbered; more are dots alone. */
const MAX_NUMBERED = 40;

interface Options {
  explained: ExplainConversionResponse;
  touches: readonly Touch[];
  zone: string;
}

/** Clicks, window and conversion to scale, and under them what each model gives which click. */
export function Timeline({ explained, touches, zone }: Options) {
  const { own } = useUrl();
  const { conversionTime, lookbackMs, models } = explained.decision!;
  const middle = Number(conversionTime);
  const opens = middle - Number(lookbackMs);
  const refunds = refundsOf(explained, touches);
  const times = [opens, middle, ...touches.map(({ time }) => time), ...refunds];
  const span = { from: Math.min(...times), to: Math.max(...times), middle, zone };
  const nearest = Math.min(Number(lookbackMs), ...touches.map(({ time }) => Math.abs(middle - time)));
  // Of a window that is a small part of what is known, nothing could be told apart to scale.
  const suiting = span.to - span.from > MAX_WINDOWS * Number(lookbackMs) ? 'log' : 'linear';
  const shown = own.scale === 'log' || own.scale === 'linear' ? own.scale : suiting;
  const isLog = shown === 'log';
  const scale = isLog ? logScale(span, nearest) : linearScale(span);
  return (
    <div class="card">
      <header>
        <h2>Touches, {isLog ? 'by how far from the conversion' : 'to scale'}</h2>
        <span class="grow" />
        <Legend hasRefund={refunds.length > 0} />
        <Segment
          label="Scale"
          value={shown}
          options={[
            ['linear', 'Linear'],
            ['log', 'Log'],
          ]}
          onChange={(next) => changeOwn({ scale: next === suiting ? '' : next })}
        />
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <section class="tl" tabIndex={0} aria-label="Time line of the touches; the table below says the same">
        <div class="tlin" aria-hidden="true">
          <div class="area">
            <span class="win" style={{ left: `${scale.at(opens)}%`, width: `${scale.at(middle) - scale.at(opens)}%` }}>
              <span>window, {duration(Number(lookbackMs)).replace(/ 0 \w$/, '')}</span>
            </span>
            <span class="axis" />
            {touches.map((touch) => (
              <Dot key={touch.clickId} of={touch} x={scale.at(touch.time)} zone={zone} many={touches.length} />
            ))}
            <Labels touches={touches} scale={scale} middle={middle} />
            <span
              class="cv"
              style={{ left: `${scale.at(middle)}%` }}
              data-tip={`conversion\n${shortDateTime(middle, zone)}`}
            />
            {refunds.map((time) => (
              <span
                key={time}
                class="rf"
                style={{ left: `${scale.at(time)}%` }}
                data-tip={`refund\n${shortDateTime(time, zone)}`}
              />
            ))}
          </div>
          {models.map((model, i) => (
            <Lane key={model} model={model} at={i} touches={touches} scale={scale} />
          ))}
          <div class="tax">
            {ticksOf(scale).map(({ ms, text }) => (
              <span key={ms} style={{ left: `${scale.at(ms)}%` }}>
                {text}
              </span>
            ))}
          </div>
        </div>
      </section>
    </div>
  );
}

function ticksOf({ ticks, at }: Scale): Scale['ticks'] {
  const boxOf = ({ ms, text }: Scale['ticks'][number]) => {
    const half = (LETTER * text.length * 50) / WIDTH + 1;
    return [at(ms) - half, at(ms) + half] as const;
  };
  const inside = ticks.filter((tick) => boxOf(tick)[0] >= 0 && boxOf(tick)[1] <= 100);
  return [...fitting(inside, boxOf)];
}

/** When refunds happened, as far as that does not make the time before small. */
function refundsOf({ decision, corrections }: ExplainConversionResponse, touches: readonly Touch[]): number[] {
  const { conversionTime, lookbackMs } = decision!;
  const last = Math.max(Number(conversionTime + lookbackMs / 4n), ...touches.map(({ time }) => time));
  return corrections
    .filter(({ kind, timestamp }) => kind === 'refund' && timestamp >= conversionTime && Number(timestamp) <= last)
    .map(({ timestamp }) => Number(timestamp));
}

function Legend({ hasRefund }: { hasRefund: boolean }) {
  return (
    <span class="legend" aria-hidden="true">
      <span>
        <i class="lg-dot" />
        candidate
      </span>
      <span>
        <i class="lg-dot lost" />
        left out
      </span>
      <span>
        <i class="lg-cv" />
        conversion
      </span>
      {hasRefund && (
        <span>
          <i class="lg-rf" />
          refund
        </span>
      )}
    </span>
  );
}

function Dot({ of, x, zone, many }: { of: Touch; x: number; zone: string; many: number }) {
  const { no, kind, clickId, campaignId, time, outcome, far } = of;
  const tip = `${no}. ${campaignId}\n${shortDateTime(time, zone)}\n${outcome}${far && `, ${far}`}\n${clickId}`;
  const className = `tp ${kind === 'candidate' ? '' : 'lost'} ${kind === 'invalid' ? 'inv' : ''}`;
  return (
    <span class={`${className} ${many > MAX_NUMBERED ? 'tiny' : ''}`} style={{ left: `${x}%` }} data-tip={tip}>
      {many <= MAX_NUMBERED && no}
    </span>
  );
}

interface LabelOptions {
  touches: readonly Touch[];
  scale: Scale;
  /** When the conversion happened. */
  middle: number;
}

/**
 * Candidates are named above the line, others below, where there is room: the newest first. A candidate without room
 * above is named below, if there is some.
 */
function Labels({ touches, scale, middle }: LabelOptions) {
  const lines = ({ kind, campaignId, time, outcome }: Touch): [string, string] => {
    const far = duration(Math.abs(middle - time));
    if (kind === 'candidate') return [campaignId, far];
    return [time > middle ? 'after it' : outcome === 'before the window' ? 'too early' : outcome, far];
  };
  const boxOf = (touch: Touch) => {
    const half = (LETTER * Math.max(...lines(touch).map(({ length }) => length)) * 50) / WIDTH;
    const x = Math.max(half, Math.min(100 - half, scale.at(touch.time)));
    return [x - half - 0.8, x + half + 0.8] as const;
  };
  const newest = touches.toReversed();
  const above = fitting(
    newest.filter(({ kind }) => kind === 'candidate'),
    boxOf,
  );
  const others = newest.filter(({ kind }) => kind !== 'candidate');
  const below = fitting([...others, ...newest.filter((one) => one.kind === 'candidate' && !above.has(one))], boxOf);
  return (
    <>
      {[above, below].map((some, i) => {
        return [...some].map((touch) => {
          const [left, right] = boxOf(touch);
          return (
            <span
              key={touch.clickId}
              class={`tlab c ${i === 0 ? 'up' : 'dn'}`}
              style={{ left: `${(left + right) / 2}%` }}
            >
              {lines(touch)[0]}
              <small>{lines(touch)[1]}</small>
            </span>
          );
        });
      })}
    </>
  );
}

function Lane({ model, at, touches, scale }: { model: string; at: number; touches: readonly Touch[]; scale: Scale }) {
  const some = touches.filter(({ credits }) => credits.length > 0);
  const credited = some.filter(({ credits }) => (credits[at] ?? 0n) > 0n);
  // A share is told where no other bar stands in its way.
  const lefts = some.map(({ time }) => scale.at(time));
  const isFree = (left: number) => lefts.every((other) => other <= left || other >= left + LANE_TEXT);
  const named = new Set(credited.filter(({ time }) => isFree(scale.at(time))));
  return (
    <div class={`lane model ${model}`}>
      <ModelName model={model} />
      {some.map((touch) => {
        const credit = touch.credits[at] ?? 0n;
        const left = `${scale.at(touch.time)}%`;
        return (
          <span key={touch.clickId} class="credit">
            <i
              style={{ left, '--h': `${Number(credit) / 1e4}%` }}
              data-tip={`${touch.no}. ${touch.campaignId} · ${model}\n${exact(credit)} of the conversion`}
            />
            {named.has(touch) && (
              <span class="t" style={{ left }}>
                {credit === ONE ? '100%' : percent(credit, ONE)}
              </span>
            )}
          </span>
        );
      })}
    </div>
  );
}
