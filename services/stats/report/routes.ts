import type { ConnectRouter } from '@connectrpc/connect';
import { type RunReportRequest, RunReportRequestSchema } from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import { StatsService } from '../../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { UTC } from '../../contract/report-days.ts';
import type { HttpRoute } from '../../http/routes/http-routes.ts';
import { type StatsDeps, UNTOLD } from '../deps.ts';
import { modelFault } from '../models.ts';
import type { FieldError } from '../requests/field-error.ts';
import { strictJson } from '../requests/json-requests.ts';
import { readParameters } from '../requests/query-parameters.ts';
import { badRequest, valid } from '../requests/refuse.ts';
import { RUN_REPORT } from '../rest-api.ts';
import { answerOf, readForm } from './forms.ts';
import { parseReport, type ReportQuery } from './report-query.ts';
import { type Report, reportMessage, runReport } from './run-report.ts';

export function reportRoutes(router: ConnectRouter, deps: StatsDeps): void {
  router.rpc(
    StatsService.method.runReport,
    async (request, { signal }) => reportMessage(valid(await report(request, deps, signal)).report),
    { jsonOptions: strictJson(RunReportRequestSchema) },
  );
}

/** `GET /api/v1/report`: RunReport with its fields as query parameters, answered as JSON, NDJSON or CSV. */
export function reportHttp(deps: StatsDeps): HttpRoute[] {
  return [
    {
      ...RUN_REPORT,
      async handle({ query: text, headers }) {
        const form = readForm(text, headers.accept);
        if ('field' in form) return badRequest(form);
        const request = readParameters(RunReportRequestSchema, form.rest);
        if ('field' in request) return badRequest(request);
        const answer = await report(request, deps, undefined);
        if ('field' in answer) return badRequest(answer);
        return answerOf(answer.report, answer.query, form, headers['accept-encoding']);
      },
    },
  ];
}

async function report(
  request: RunReportRequest,
  deps: StatsDeps,
  signal: AbortSignal | undefined,
): Promise<{ report: Report; query: ReportQuery } | FieldError> {
  const { client, models, rollups } = deps;
  const told = { ...(deps.told ?? UNTOLD), timeZone: deps.timeZone ?? UTC };
  const query = parseReport(request, { model: models[0]!, timeZone: told.timeZone });
  if ('field' in query) return query;
  for (const model of query.models) {
    const fault = await modelFault(client, model, models, signal);
    if (fault !== undefined) return { ...fault, field: 'models' };
  }
  return { report: await runReport(client, request, query, { ...told, rollups }, Date.now(), signal), query };
}
