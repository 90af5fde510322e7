import { create } from '@bufbuild/protobuf';
import {
  type Acceptance,
  AcceptanceSchema,
  type IngestBatchResponse,
  IngestBatchResponseSchema,
  type IngestResult,
  IngestResultSchema,
} from '../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import type { EventLog } from '../shared/log/event-log.ts';
import type { Accepted, Outcome } from './accept.ts';

/**
 * Appends events in one call and resolves when they are durable, with their places in the same order. Throws what
 * EventLog.append throws; then none of them may be acknowledged.
 */
export async function store(events: readonly Accepted[], log: EventLog): Promise<Acceptance[]> {
  if (events.length === 0) return [];
  const records = events.map(({ userId, bytes }) => ({ topic: 'raw-events' as const, key: userId, value: bytes }));
  const positions = await log.append(records);
  return positions.map(({ partition, offset }, i) =>
    create(AcceptanceSchema, { eventId: events[i]!.eventId, partition, offset: BigInt(offset) }),
  );
}

/** Stores the accepted ones in one append and answers for all, in order. Throws what EventLog.append throws. */
export async function settle(outcomes: readonly Outcome[], log: EventLog): Promise<IngestBatchResponse> {
  const accepted = outcomes.flatMap((outcome) => (outcome.kind === 'accepted' ? [outcome.event] : []));
  const acceptances = await store(accepted, log);
  let next = 0;
  const results = outcomes.map((outcome): IngestResult => {
    const result =
      outcome.kind === 'accepted'
        ? { case: 'accepted' as const, value: acceptances[next++]! }
        : { case: 'rejected' as const, value: outcome.rejection };
    return create(IngestResultSchema, { result });
  });
  const counts = { accepted: accepted.length, rejected: outcomes.length - accepted.length };
  return create(IngestBatchResponseSchema, { results, ...counts });
}
