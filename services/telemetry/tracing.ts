import {
  type Attributes,
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';

/**
 * The spans of the mesh. A request's trace goes: its server span, `accept`, `append raw-events`; from there, by way of
 * the records' headers, `attribute`; and `insert` where this program brings records into ClickHouse itself. Requests
 * and records that are not sampled have no spans, and cost nothing more.
 */
const tracer = trace.getTracer('clickmesh');

/** Headers of a record or a request that carry its trace on. */
export type TraceHeaders = Readonly<Record<string, string>>;

/** By the offset of a record, the headers of the records that follow from it. */
export type Traces = ReadonlyMap<number, TraceHeaders>;
export const NO_TRACES: Traces = new Map();

/** The part of a record that tracing looks at. */
interface TracedRecord {
  headers: TraceHeaders;
  partition: number;
  offset: number;
}

let sampledPart: number | undefined;

/**
 * Samples requests here, as the SDK's parentbased_traceidratio would: all whose caller traces them, and a part of the
 * others. The SDK makes ids, a context and a copy of the attributes before it drops a span, a twentieth of the CPU of a
 * request (measured 2026-11, bench tracing); so it is asked only for spans that it keeps.
 *
 * @param part of the requests whose caller says nothing, from 0 to 1
 */
export function sampleRequests(part: number): void {
  sampledPart = part;
}

function mayBeSampled(parent: Context): boolean {
  if (sampledPart === undefined) return true;
  const caller = trace.getSpanContext(parent);
  return caller === undefined ? Math.random() < sampledPart : (caller.traceFlags & TraceFlags.SAMPLED) !== 0;
}

/** The span that the code runs in, if there is one. */
export function activeSpan(): Span | undefined {
  const span = trace.getActiveSpan();
  return span?.isRecording() ? span : undefined;
}

/**
 * Runs `handle` in the span of a request, which `handle` has to end; without one if the request is not sampled.
 *
 * @param headers of the request, which may name the caller's span
 */
export function withServerSpan(
  name: string,
  headers: object,
  attributes: Attributes,
  handle: (span: Span | undefined) => void,
): void {
  const parent = 'traceparent' in headers ? propagation.extract(ROOT_CONTEXT, headers) : ROOT_CONTEXT;
  const span = mayBeSampled(parent) ? tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent) : undefined;
  if (span?.isRecording()) context.with(trace.setSpan(parent, span), () => handle(span));
  else handle(undefined);
}

/** Runs `action` in a child of the active span, if there is one. */
export function withSpan<T>(name: string, action: () => T, kind = SpanKind.INTERNAL): T {
  if (activeSpan() === undefined) return action();
  return tracer.startActiveSpan(name, { kind }, (span) => ending([span], action));
}

/** A callback that a stream calls runs in no span: this makes it run in the one that is active now. */
export function inActiveSpan<A extends unknown[]>(callback: (...args: A) => void): (...args: A) => void {
  return activeSpan() === undefined ? callback : context.bind(context.active(), callback);
}

/** Headers that make what a receiver does a child of the active span; undefined if there is none. */
export function traceHeaders(): TraceHeaders | undefined {
  return activeSpan() === undefined ? undefined : headersOf(context.active());
}

/**
 * Runs `action` on records of a topic. Each of them that is traced gets a span in its own trace, linked to a span of
 * the whole batch, in which `action` runs; that one is part of the first one's trace and linked to all that came.
 */
export function withRecordSpans<T>(
  name: string,
  topic: string,
  records: readonly TracedRecord[],
  action: (traces: Traces) => T,
): T {
  const traced = records.filter(isTraced);
  if (traced.length === 0) return action(NO_TRACES);
  const parents = traced.map(({ headers }) => propagation.extract(ROOT_CONTEXT, headers));
  const attributes = { 'messaging.system': 'kafka', 'messaging.destination.name': topic };
  const batch = {
    kind: SpanKind.CONSUMER,
    attributes: { ...attributes, 'messaging.batch.message_count': records.length },
    links: parents.map((parent) => ({ context: trace.getSpanContext(parent)! })),
  };
  return tracer.startActiveSpan(`${name} batch`, batch, parents[0]!, (batchSpan) => {
    const traces = new Map<number, TraceHeaders>();
    const spans = traced.map(({ partition, offset }, i) => {
      const options = {
        kind: SpanKind.CONSUMER,
        attributes: {
          ...attributes,
          'messaging.destination.partition.id': String(partition),
          'messaging.kafka.offset': offset,
        },
        links: [{ context: batchSpan.spanContext() }],
      };
      const span = tracer.startSpan(name, options, parents[i]);
      traces.set(offset, headersOf(trace.setSpan(parents[i]!, span)));
      return span;
    });
    return ending([...spans, batchSpan], () => action(traces));
  });
}

function isTraced({ headers }: TracedRecord): boolean {
  return 'traceparent' in headers;
}

/** Runs `action` and ends the spans when it is done; they show if it failed. */
function ending<T>(spans: readonly Span[], action: () => T): T {
  const end = <V>(value: V): V => {
    for (const span of spans) span.end();
    return value;
  };
  const fail = (error: unknown): never => {
    for (const span of spans) span.setStatus({ code: SpanStatusCode.ERROR, message: String(error) });
    throw end(error);
  };
  try {
    const result = action();
    return result instanceof Promise ? (result.then(end, fail) as T) : end(result);
  } catch (error) {
    return fail(error);
  }
}

function headersOf(of: Context): TraceHeaders {
  const headers: Record<string, string> = {};
  propagation.inject(of, headers);
  return headers;
}
