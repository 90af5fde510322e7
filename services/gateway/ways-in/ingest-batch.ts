import { Code, ConnectError } from '@connectrpc/connect';
import { MAX_BATCH_ITEMS } from '../../contract/limits.ts';
import type { Format } from '../../http/exchange/protocol.ts';
import { appendAccepted } from '../append-events.ts';
import type { GatewayDeps } from '../deps.ts';
import { encodeBatchResponse } from '../response.ts';
import { acceptRequest } from './accept-request.ts';

/** Takes 1 to 1,000 events, each accepted or rejected by itself. */
export async function ingestBatch(request: Buffer, format: Format, deps: GatewayDeps): Promise<Uint8Array> {
  const outcomes = acceptRequest(request, format, deps);
  if (outcomes.length === 0) throw new ConnectError('events is empty', Code.InvalidArgument);
  assertBatchSize(outcomes.length);
  return encodeBatchResponse(await appendAccepted(outcomes, deps.log));
}

/** Throws INVALID_ARGUMENT past the limit of events in one message. */
export function assertBatchSize(items: number): void {
  if (items <= MAX_BATCH_ITEMS) return;
  throw new ConnectError(`${items} events are more than ${MAX_BATCH_ITEMS}`, Code.InvalidArgument);
}
