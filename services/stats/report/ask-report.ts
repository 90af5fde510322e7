import { setTimeout as sleep } from 'node:timers/promises';
import { Code, ConnectError } from '@connectrpc/connect';
import type { MinWatermark, RunReportRequest } from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import { UTC } from '../../contract/report-days.ts';
import { type Covered, type Freshness, type StatsDeps, UNTOLD } from '../deps.ts';
import { modelFault } from '../models.ts';
import type { FieldError } from '../requests/field-error.ts';
import { parseReport, type ReportQuery } from './report-query.ts';
import { type Report, runReport } from './run-report.ts';

/** Longest wait for what a request wants to be counted, in ms. */
const MAX_WAIT_MS = 10_000;
const WAIT_MS = 100;
/** Seconds after which a caller should try again what was waited for in vain. */
const RETRY_AFTER = '5';

/** What a request asks for, or the first field that can't be answered. */
export async function askReport(
  request: RunReportRequest,
  deps: StatsDeps,
  signal?: AbortSignal,
): Promise<{ report: Report; query: ReportQuery } | FieldError> {
  const query = await checkReport(request, deps, signal);
  if ('field' in query) return query;
  const { client, rollups, timeZone = UTC, freshness, told = UNTOLD } = deps;
  const covered = await coveredFor(request.minWatermark, freshness, signal);
  if (covered !== undefined && 'field' in covered) return covered;
  const counting = { ...told, rollups, timeZone };
  return { report: await runReport(client, request, query, counting, covered, Date.now(), signal), query };
}

/** The checked request, without an answer. */
export async function checkReport(
  request: RunReportRequest,
  { client, models, timeZone = UTC }: StatsDeps,
  signal?: AbortSignal,
): Promise<ReportQuery | FieldError> {
  const query = parseReport(request, { model: models[0]!, timeZone });
  if ('field' in query) return query;
  for (const model of query.models) {
    const fault = await modelFault(client, model, models, signal);
    if (fault !== undefined) return { ...fault, field: 'models' };
  }
  return query;
}

/**
 * What is there before an answer is read, once it has what is wanted. Throws UNAVAILABLE if that takes too long, and
 * FAILED_PRECONDITION if it can't be known.
 */
export async function coveredFor(
  wanted: MinWatermark | undefined,
  freshness: Freshness | undefined,
  signal: AbortSignal | undefined,
): Promise<Covered | undefined | FieldError> {
  if (wanted === undefined) return freshness?.covered();
  if (freshness === undefined) {
    throw new ConnectError('min_watermark is not known here: ask a gateway', Code.FailedPrecondition);
  }
  const { partition } = wanted;
  const offset = Number(wanted.offset);
  for (const began = performance.now(); ; ) {
    const covered = await freshness.covered();
    const { offsets, ends } = covered;
    if (partition >= ends.length) return fault(`names partition ${partition}: there are ${ends.length}`);
    if (offset >= ends[partition]!)
      return fault(`names offset ${offset}, which partition ${partition} has not reached`);
    if (offsets[partition]! > offset) return covered;
    if (performance.now() - began > MAX_WAIT_MS) break;
    await sleep(WAIT_MS, undefined, { signal });
  }
  const what = `partition ${partition} is not counted up to offset ${offset} after ${MAX_WAIT_MS / 1000} s`;
  throw new ConnectError(`min_watermark: ${what}. Try again`, Code.Unavailable, { 'retry-after': RETRY_AFTER });
}

function fault(what: string): FieldError {
  return { field: 'min_watermark', message: `min_watermark ${what}. It is PARTITION:OFFSET of an acceptance` };
}
