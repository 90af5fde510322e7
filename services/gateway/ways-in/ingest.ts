import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { type Rejection, RejectionSchema, RejectReason } from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import type { Format } from '../../http/exchange/protocol.ts';
import { appendEvents, countOutcome } from '../append-events.ts';
import { type GatewayDeps, termsOf } from '../deps.ts';
import { accept } from '../event/accept.ts';
import { encodeResponse } from '../response.ts';
import { withUsers } from '../users/with-users.ts';
import { acceptRequest } from './accept-request.ts';

/** Takes one event; a rejected one throws INVALID_ARGUMENT or FAILED_PRECONDITION with the Rejection as detail. */
export async function ingest(request: Buffer, format: Format, deps: GatewayDeps): Promise<Uint8Array> {
  const outcomes = acceptRequest(request, format, deps);
  if (outcomes.length > 1) {
    throw new ConnectError(`${outcomes.length} events are for IngestBatch: Ingest takes one`, Code.InvalidArgument);
  }
  let outcome = outcomes[0] ?? accept(create(EventSchema), termsOf(deps));
  if (outcome.kind === 'rejected' && outcome.userless !== undefined && deps.findUsers !== undefined) {
    outcome = (await withUsers([outcome], deps.findUsers))[0]!;
  }
  if (outcome.kind === 'accepted') {
    const [position] = await appendEvents([outcome.event], deps.log);
    countOutcome(outcome);
    return encodeResponse(outcome, position!);
  }
  countOutcome(outcome);
  const { rejection } = outcome;
  const detail = { desc: RejectionSchema, value: rejection };
  throw new ConnectError(rejection.message, codeOf(rejection), undefined, [detail]);
}

/** What is sent again unchanged fails again, unless it waits for another event. */
function codeOf({ reason }: Rejection): Code {
  return reason === RejectReason.UNKNOWN_TARGET ? Code.FailedPrecondition : Code.InvalidArgument;
}
