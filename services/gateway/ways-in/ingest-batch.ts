import type { IncomingHttpHeaders } from 'node:http';
import { Code, ConnectError } from '@connectrpc/connect';
import { NAMES_IGNORED } from '../../contract/names-ignored.ts';
import type { Format } from '../../http/exchange/protocol.ts';
import { appendAccepted, countNamesIgnored } from '../append-events.ts';
import type { GatewayDeps } from '../deps.ts';
import { encodeBatchResponse } from '../response.ts';
import { acceptRequest } from './accept-request.ts';

/** Takes 1 to 1,000 events, each accepted or rejected by itself. */
export async function ingestBatch(
  request: Buffer,
  format: Format,
  headers: IncomingHttpHeaders,
  deps: GatewayDeps,
): Promise<Uint8Array> {
  const outcomes = acceptRequest(request, format, deps);
  if (outcomes.length === 0) throw new ConnectError('events is empty', Code.InvalidArgument);
  const appended = await appendAccepted(outcomes, deps);
  const ignored = headers[NAMES_IGNORED];
  if (ignored !== undefined) countNamesIgnored(String(ignored));
  return encodeBatchResponse(appended);
}
