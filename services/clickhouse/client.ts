import { type ClickHouseClient, ClickHouseLogLevel, type ClickHouseTracer, createClient } from '@clickhouse/client';
import { trace } from '@opentelemetry/api';
import { activeSpan } from '../telemetry/tracing.ts';

/**
 * Opens a client of the server at `url`. It does not log: an error is thrown, and reported once, by the caller. Its
 * calls are spans of the traces they belong to.
 *
 * @param username "default" if undefined
 */
export function clickhouseClient(url: string, username?: string, password?: string): ClickHouseClient {
  return createClient({ url, username, password, log: { level: ClickHouseLogLevel.OFF }, tracer });
}

const clickhouse = trace.getTracer('clickhouse');
const nothing = trace.wrapSpanContext({ traceId: '', spanId: '', traceFlags: 0 });

/** Makes a call a span of the active trace, and begins no trace: polling by the mesh itself is not traced. */
const tracer: ClickHouseTracer = {
  startActiveSpan: (name, options, fn) =>
    activeSpan() === undefined ? fn(nothing) : clickhouse.startActiveSpan(name, options, fn),
};
