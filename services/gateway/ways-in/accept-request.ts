import type { Format } from '../../http/exchange/protocol.ts';
import { withSpan } from '../../telemetry/tracing.ts';
import { type GatewayDeps, termsOf } from '../deps.ts';
import type { Outcome } from '../event/accept.ts';
import { acceptBytes } from '../event/accept-bytes.ts';
import { acceptRpcJson } from '../event/accept-json.ts';
import { assertUtf8 } from './body-text.ts';

/** Judges the events of an IngestRequest, IngestBatchRequest or IngestStreamRequest, in their order. */
export function acceptRequest(request: Buffer, format: Format, deps: GatewayDeps): Outcome[] {
  const terms = termsOf(deps);
  if (format === 'proto') return withSpan('accept', () => acceptBytes(request, terms));
  assertUtf8(request);
  return withSpan('accept', () => acceptRpcJson(request, terms));
}
