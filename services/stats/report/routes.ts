import type { ConnectRouter } from '@connectrpc/connect';
import { RunReportRequestSchema } from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import { StatsService } from '../../../gen/ts/clickmesh/v1/stats_service_pb.js';
import type { HttpRoute } from '../../http/routes/http-routes.ts';
import type { StatsDeps } from '../deps.ts';
import { strictJson } from '../requests/json-requests.ts';
import { readParameters } from '../requests/query-parameters.ts';
import { badRequest, valid } from '../requests/refuse.ts';
import { REPORT_FORMS, RUN_REPORT } from '../rest-api.ts';
import { askReport } from './ask-report.ts';
import { answerOf, readForm } from './forms.ts';
import { reportMessage } from './run-report.ts';

export function reportRoutes(router: ConnectRouter, deps: StatsDeps): void {
  router.rpc(
    StatsService.method.runReport,
    async (request, { signal }) => reportMessage(valid(await askReport(request, deps, signal)).report),
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
        const request = readParameters(RunReportRequestSchema, form.rest, Object.keys(REPORT_FORMS));
        if ('field' in request) return badRequest(request);
        const answer = await askReport(request, deps);
        if ('field' in answer) return badRequest(answer);
        return answerOf(answer.report, answer.query, form, headers['accept-encoding']);
      },
    },
  ];
}
