import { Code, ConnectError } from '@connectrpc/connect';
import { MAX_BATCH_ITEMS } from '../../contract/limits.ts';

/** Throws INVALID_ARGUMENT past the limit of events in one message: before they are judged, which costs more. */
export function assertBatchSize(items: number): void {
  if (items <= MAX_BATCH_ITEMS) return;
  throw new ConnectError(`${items} events are more than ${MAX_BATCH_ITEMS}: send fewer at once`, Code.InvalidArgument);
}
