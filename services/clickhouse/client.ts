import { type ClickHouseClient, ClickHouseLogLevel, type ClickHouseTracer, createClient } from '@clickhouse/client';
import { trace } from '@opentelemetry/api';
import { activeSpan } from '../telemetry/tracing.ts';

export interface ClickHouseCredentials {
  /** "default" if there is none. */
  user?: string;
  password?: string;
}

/**
 * A client of the server at `url`. It logs nothing by itself: what fails is thrown, once is enough. Its calls are spans
 * of the traces they belong to.
 */
export function clickhouseClient(url: string, { user, password }: ClickHouseCredentials = {}): ClickHouseClient {
  return createClient({ url, username: user, password, log: { level: ClickHouseLogLevel.OFF }, tracer });
}

const clickhouse = trace.getTracer('clickhouse');
const nothing = trace.wrapSpanContext({ traceId: '', spanId: '', traceFlags: 0 });

/** Begins no traces: what the mesh asks for itself belongs to nobody's. */
const tracer: ClickHouseTracer = {
  startActiveSpan: (name, options, fn) =>
    activeSpan() === undefined ? fn(nothing) : clickhouse.startActiveSpan(name, options, fn),
};
