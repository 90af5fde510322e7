import { SpanKind } from '@opentelemetry/api';
import { RejectReason } from '../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { type Accepted, EVENT_TYPES } from '../contract/event-rules.ts';
import { readNamesIgnored } from '../contract/names-ignored.ts';
import type { EventLog, NewRecord, RecordPosition } from '../log/event-log.ts';
import { appendDuration, appendSize, eventsAccepted, eventsRejected, namesIgnored } from '../telemetry/metrics.ts';
import { traceHeaders, withSpan } from '../telemetry/tracing.ts';
import type { GatewayDeps } from './deps.ts';
import type { Outcome } from './event/accept.ts';
import { withUsers } from './users/with-users.ts';

type AppendDeps = Pick<GatewayDeps, 'log' | 'findUsers'>;

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

/** Counts an event that was rejected, or the names in an accepted one that were not understood or kept. */
export function countOutcome(outcome: Outcome): void {
  if (outcome.kind === 'rejected') {
    eventsRejected.add(1, { reason: RejectReason[outcome.rejection.reason].toLowerCase() });
  } else if (outcome.ignored.length > 0) {
    namesIgnored.add(outcome.ignored.length, { event_type: outcome.event.eventType });
  }
}

/** Counts the names that a sender left out of events which are durable now, as its header says. */
export function countNamesIgnored(header: string): void {
  for (const [type, names] of readNamesIgnored(header)) namesIgnored.add(names, { event_type: type });
}

/**
 * Appends a request's accepted events in one call, and counts all; before that it finds the users that events are
 * without. Throws what EventLog.append and FindUsers throw.
 */
export async function appendAccepted(outcomes: readonly Outcome[], { log, findUsers }: AppendDeps): Promise<Appended> {
  const accepted: Accepted[] = [];
  let isUserless = false;
  for (const outcome of outcomes) {
    if (outcome.kind === 'accepted') accepted.push(outcome.event);
    else if (outcome.userless !== undefined) isUserless = true;
  }
  // The others wait for it, so that the answer tells of all.
  if (isUserless && findUsers !== undefined) return appendAccepted(await withUsers(outcomes, findUsers), { log });
  const positions = await appendEvents(accepted, log);
  // Not before: an append that fails is tried again by its client, and would count twice.
  for (const outcome of outcomes) countOutcome(outcome);
  return { outcomes, positions };
}
