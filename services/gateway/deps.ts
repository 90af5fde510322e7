import type { EventLog } from '../log/event-log.ts';
import type { Terms } from './event/accept.ts';
import type { FindUsers } from './users/find-users.ts';

/** The adapters that the gateway works with. */
export interface GatewayDeps {
  log: EventLog;
  /** Undefined without ClickHouse: events must come with their users. */
  findUsers?: FindUsers;
  /** The clock, in ms since 1970-01-01 UTC. */
  now: () => number;
  /** Code of the currency that the mesh counts in, as ISO 4217 has it. */
  currency: string;
}

/** The terms of events that come now. */
export function termsOf({ now, currency }: GatewayDeps): Terms {
  return { now: now(), currency };
}
