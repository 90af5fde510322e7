import { SpanKind } from '@opentelemetry/api';
import { type Rejection, RejectReason } from '../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { type Accepted, EVENT_TYPES } from '../contract/event-rules.ts';
import type { EventLog, NewRecord, RecordPosition } from '../log/event-log.ts';
import { appendDuration, appendSize, eventsAccepted, eventsRejected, namesIgnored } from '../telemetry/metrics.ts';
import { traceHeaders, withSpan } from '../telemetry/tracing.ts';
import type { Outcome } from './event/accept.ts';

/** The outcomes of a request's events, in their order. */
export interface Appended {
  outcomes: readonly Outcome[];
  /** Positions of the accepted events, in their order. */
  positions: readonly RecordPosition[];
}

/**
 * Appends events in one call and resolves when they are durable, with their places in the same order. Throws what
 * EventLog.append throws; then none of them may be acknowledged.
 */
export async function appendEvents(events: readonly Accepted[], log: EventLog): Promise<RecordPosition[]> {
  if (events.length === 0) return [];
  const began = performance.now();
  const positions = await withSpan('append raw-events', () => log.append(recordsOf(events)), SpanKind.PRODUCER);
  appendDuration.record((performance.now() - began) / 1000);
  appendSize.record(events.length);
  countAccepted(events);
  return positions;
}

function recordsOf(events: readonly Accepted[]): NewRecord[] {
  const headers = traceHeaders();
  return events.map(({ userId, bytes }) => ({ topic: 'raw-events', key: userId, value: bytes, headers }));
}

/** Adds each type up first: a call of the counter costs as much as many events. */
function countAccepted(events: readonly Accepted[]): void {
  for (const type of EVENT_TYPES) {
    let count = 0;
    for (const { eventType } of events) if (eventType === type) count++;
    if (count > 0) eventsAccepted.add(count, { event_type: type });
  }
}

/** Counts the names in an event that were not understood or kept. */
export function countIgnored({ event, ignored }: Extract<Outcome, { kind: 'accepted' }>): void {
  if (ignored.length > 0) namesIgnored.add(ignored.length, { event_type: event.eventType });
}

export function countRejected({ reason }: Rejection): void {
  eventsRejected.add(1, { reason: RejectReason[reason].toLowerCase() });
}

/** Appends a request's accepted events in one call, and counts the rejected. Throws what EventLog.append throws. */
export async function appendAccepted(outcomes: readonly Outcome[], log: EventLog): Promise<Appended> {
  const accepted: Accepted[] = [];
  for (const outcome of outcomes) {
    if (outcome.kind !== 'accepted') continue;
    accepted.push(outcome.event);
    countIgnored(outcome);
  }
  const positions = await appendEvents(accepted, log);
  if (accepted.length < outcomes.length) {
    for (const outcome of outcomes) if (outcome.kind === 'rejected') countRejected(outcome.rejection);
  }
  return { outcomes, positions };
}
