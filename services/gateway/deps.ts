import type { EventLog } from '../log/event-log.ts';

/** The adapters that the gateway works with. */
export interface GatewayDeps {
  log: EventLog;
  /** The clock, in ms since 1970-01-01 UTC. */
  now: () => number;
}
