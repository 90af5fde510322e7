import { trace } from '@opentelemetry/api';
import pino, { type Logger } from 'pino';

/**
 * A logger to standard error: one line of JSON each, or lines for people where that is a terminal. What is logged while
 * a traced request or record is worked on has its trace_id and span_id.
 *
 * @param component part of the mesh that logs, such as "pipeline"
 */
export async function newLogger(level: string, component: string): Promise<Logger> {
  const options = { level, base: { component, pid: process.pid }, mixin: traceIds };
  if (!process.stderr.isTTY) return pino(options, pino.destination({ dest: 2, sync: true }));
  const { default: pretty } = await import('pino-pretty');
  return pino(options, pretty({ destination: 2, sync: true, ignore: 'pid,hostname', singleLine: true }));
}

function traceIds(): object {
  const span = trace.getActiveSpan();
  if (!span?.isRecording()) return {};
  const { traceId, spanId } = span.spanContext();
  return { trace_id: traceId, span_id: spanId };
}
