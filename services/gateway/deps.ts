import type { Logger } from 'pino';
import type { EventLog } from '../log/event-log.ts';

/** What the gateway works with. */
export interface GatewayDeps {
  log: EventLog;
  /** Milliseconds since 1970-01-01 UTC. */
  now: () => number;
  logger: Logger;
}
