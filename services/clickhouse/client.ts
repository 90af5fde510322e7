import { type ClickHouseClient, ClickHouseLogLevel, type ClickHouseTracer, createClient } from '@clickhouse/client';
import { trace } from '@opentelemetry/api';
import { activeSpan } from '../telemetry/tracing.ts';

const TIMEOUT_MS = 30_000;

/**
 * Opens a client of the server at `url`. It does not log: an error is thrown, and reported once, by the caller. Its
 * calls are spans of the traces they belong to.
 *
 * @param username "default" if undefined
 * @param timeoutMs how long the server may say nothing before a call fails
 */
export function clickhouseClient(
  url: string,
  username?: string,
  password?: string,
  timeoutMs = TIMEOUT_MS,
): ClickHouseClient {
  return createClient({
    url,
    username,
    password,
    request_timeout: timeoutMs,
    log: { level: ClickHouseLogLevel.OFF },
    tracer,
  });
}

const clickhouse = trace.getTracer('clickhouse');
const nothing = trace.wrapSpanContext({ traceId: '', spanId: '', traceFlags: 0 });

/** Makes a call a span of the active trace, and begins no trace: polling by the mesh itself is not traced. */
const tracer: ClickHouseTracer = {
  startActiveSpan: (name, options, fn) =>
    activeSpan() === undefined ? fn(nothing) : clickhouse.startActiveSpan(name, options, fn),
};
