import { create } from '@bufbuild/protobuf';
import { SpanKind } from '@opentelemetry/api';
import {
  type Acceptance,
  AcceptanceSchema,
  type IngestBatchResponse,
  IngestBatchResponseSchema,
  type IngestResult,
  IngestResultSchema,
  type Rejection,
  RejectReason,
} from '../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import type { EventLog } from '../shared/log/event-log.ts';
import { appendDuration, appendSize, eventsAccepted, eventsRejected } from '../shared/telemetry/metrics.ts';
import { traceHeaders, withSpan } from '../shared/telemetry/tracing.ts';
import type { Accepted, Outcome } from './accept.ts';

/**
 * Appends events in one call and resolves when they are durable, with their places in the same order. Throws what
 * EventLog.append throws; then none of them may be acknowledged.
 */
export async function store(events: readonly Accepted[], log: EventLog): Promise<Acceptance[]> {
  if (events.length === 0) return [];
  const began = performance.now();
  const positions = await withSpan('append raw-events', SpanKind.PRODUCER, () => {
    const headers = traceHeaders();
    return log.append(
      events.map(({ userId, bytes }) => ({ topic: 'raw-events' as const, key: userId, value: bytes, headers })),
    );
  });
  appendDuration.record((performance.now() - began) / 1000);
  appendSize.record(events.length);
  countAccepted(events);
  return positions.map(({ partition, offset }, i) =>
    create(AcceptanceSchema, { eventId: events[i]!.eventId, partition, offset: BigInt(offset) }),
  );
}

function countAccepted(events: readonly Accepted[]): void {
  let clicks = 0;
  for (const { eventType } of events) if (eventType === 'click') clicks++;
  if (clicks > 0) eventsAccepted.add(clicks, { event_type: 'click' });
  if (clicks < events.length) eventsAccepted.add(events.length - clicks, { event_type: 'conversion' });
}

export function countRejected({ reason }: Rejection): void {
  eventsRejected.add(1, { reason: RejectReason[reason].toLowerCase() });
}

/** Stores the accepted ones in one append and answers for all, in order. Throws what EventLog.append throws. */
export async function settle(outcomes: readonly Outcome[], log: EventLog): Promise<IngestBatchResponse> {
  const accepted = outcomes.flatMap((outcome) => (outcome.kind === 'accepted' ? [outcome.event] : []));
  const acceptances = await store(accepted, log);
  for (const outcome of outcomes) if (outcome.kind === 'rejected') countRejected(outcome.rejection);
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
