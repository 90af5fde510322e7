/** What every build of the package has. */
export {
  type Acceptance,
  ClientClosed,
  NotSent,
  QueueFull,
  Rejected,
  type RejectReason,
  SendFailed,
} from './errors.ts';
export {
  type AdjustmentFields,
  adjustment,
  type ClickFields,
  type CompletedEvent,
  type ConversionFields,
  click,
  conversion,
  type EventInput,
  type InvalidateFields,
  invalidate,
  type RefundFields,
  type RetractFields,
  refund,
  restate,
  retract,
  type VerdictFields,
  verdict,
} from './events.ts';
export type { Cancel, Limit, StreamResult } from './ingest-client.ts';
export { type MemoryClient, memoryClient } from './memory.ts';
export type { ClickmeshOptions } from './options.ts';
export type { Counters } from './reports.ts';
