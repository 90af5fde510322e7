import type { TailEventsResponse, TailedEvent } from '../../../../../gen/ts/clickmesh/v1/reports_pb.js';

/** Rows in the page at most; of more that come the newest. */
export const MAX_ROWS = 200;

export const keyOf = ({ eventType, eventId }: TailedEvent) => `${eventType} ${eventId}`;

/** The newest events, newest first: those that are shown, and those that wait while nothing may move. */
export class ShownEvents {
  rows: readonly TailedEvent[] = [];
  /** How many events came that are not shown yet, with those that are not kept. */
  waiting = 0n;
  /** How many came that the mesh did not send, as they were too many. */
  skipped = 0n;
  /** Newest first. */
  private pending: readonly TailedEvent[] = [];

  /** An event that is shown is replaced where it stands; others wait. */
  receive({ events, skipped }: TailEventsResponse, matches: (event: TailedEvent) => boolean): void {
    const byKey = new Map(events.filter(matches).map((event) => [keyOf(event), event]));
    const replace = (event: TailedEvent) => {
      const next = byKey.get(keyOf(event));
      byKey.delete(keyOf(event));
      return next ?? event;
    };
    this.rows = this.rows.map(replace);
    this.pending = this.pending.map(replace);
    this.waiting += BigInt(byKey.size) + skipped;
    this.skipped += skipped;
    this.pending = [...[...byKey.values()].reverse(), ...this.pending].slice(0, MAX_ROWS);
  }

  /** What waits is shown above. */
  show(): void {
    this.rows = [...this.pending, ...this.rows].slice(0, MAX_ROWS);
    this.pending = [];
    this.waiting = 0n;
  }
}
