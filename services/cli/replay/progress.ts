import type { WriteStream } from 'node:tty';

export interface ProgressState {
  /** Events answered so far. */
  events: number;
  rejected: number;
  /** Share of the input read, in [0, 1]; undefined where its size is not known. */
  share: number | undefined;
  seconds: number;
}

const BAR_WIDTH = 24;
const TERMINAL_PERIOD_MS = 200;
const PLAIN_PERIOD_MS = 5000;

/** Shows how far a replay is: a bar that is drawn over on a terminal, else a line every five seconds. */
export function startProgress(out: Pick<WriteStream, 'write' | 'isTTY'>, look: () => ProgressState) {
  const erase = out.isTTY ? '\r\x1b[K' : '';
  const draw = () => out.write(out.isTTY ? `${erase}${barLine(look())}` : `${plainLine(look())}\n`);
  const timer = setInterval(draw, out.isTTY ? TERMINAL_PERIOD_MS : PLAIN_PERIOD_MS);
  let notedAt = Number.NEGATIVE_INFINITY;
  const write = (text: string) => out.write(`${erase}${text}\n`);
  return {
    /** Writes a line of its own. */
    write,
    /** Writes a line of its own, unless there was one in the last five seconds. */
    note(text: string) {
      if (performance.now() - notedAt < PLAIN_PERIOD_MS) return;
      notedAt = performance.now();
      write(text);
    },
    stop() {
      clearInterval(timer);
      out.write(erase);
    },
  };
}

/** `[######------]  50%  12,345 events  1,234 events/s  ETA 0:10  3 rejected` */
export function barLine(state: ProgressState): string {
  if (state.share === undefined) return plainLine(state);
  const filled = Math.round(state.share * BAR_WIDTH);
  return `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}] ${plainLine(state)}`;
}

function plainLine({ events, rejected, share, seconds }: ProgressState): string {
  const parts = [`${count(events)} events`, `${count(events / Math.max(seconds, 0.001))} events/s`];
  if (share !== undefined) parts.unshift(`${Math.floor(share * 100)}%`.padStart(4));
  if (share) parts.push(`ETA ${clock((seconds * (1 - share)) / share)}`);
  if (rejected > 0) parts.push(`${count(rejected)} rejected`);
  return parts.join('  ');
}

/** A whole number with thousands separated. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function clock(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const padded = String(whole % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${padded}` : `${minutes}:${padded}`;
}
