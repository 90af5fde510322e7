import type { TailedSecond } from '../../../../../gen/ts/clickmesh/v1/reports_pb.js';

/** How many seconds are shown. */
export const SECONDS = 60;

export type Counted = 'clicks' | 'conversions' | 'corrections';

export interface Second {
  /** Its begin, in ms since 1970-01-01 UTC by the clock of the log. */
  time: number;
  clicks: bigint;
  conversions: bigint;
  /** Adjustments and verdicts. */
  corrections: bigint;
}

/** What arrived in each of the last seconds. */
export class Seconds {
  private known = new Map<number, Second>();
  /** By how much this clock is ahead of the log's at the least, in ms, with how long news takes. */
  private ahead = Number.POSITIVE_INFINITY;

  /** @param isFirst what was known is told anew */
  receive(seconds: readonly TailedSecond[], isFirst: boolean, now: number): void {
    if (isFirst) this.known.clear();
    for (const each of seconds) {
      const time = Number(each.time);
      const sum = this.known.get(time) ?? { time, clicks: 0n, conversions: 0n, corrections: 0n };
      sum.clicks += each.clicks;
      sum.conversions += each.conversions;
      sum.corrections += each.adjustments + each.verdicts;
      this.known.set(time, sum);
      this.ahead = Math.min(this.ahead, now - time);
    }
    const oldest = this.newest(now) - 2 * SECONDS * 1000;
    for (const time of this.known.keys()) if (time < oldest) this.known.delete(time);
  }

  /** The last SECONDS, oldest first; zeros where nothing came. */
  list(now: number): Second[] {
    const newest = this.newest(now);
    return Array.from({ length: SECONDS }, (_, i) => {
      const time = newest - (SECONDS - 1 - i) * 1000;
      return this.known.get(time) ?? { time, clicks: 0n, conversions: 0n, corrections: 0n };
    });
  }

  private newest(now: number): number {
    const time = Number.isFinite(this.ahead) ? now - this.ahead : now;
    return Math.floor(time / 1000) * 1000;
  }
}
