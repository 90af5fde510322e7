import { PassThrough, pipeline } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import type { ClickHouseClient } from '@clickhouse/client';
import type { ConnectRouter } from '@connectrpc/connect';
import { GetStatsRequestSchema, Interval, StatsService } from '../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { UTC } from '../contract/report-days.ts';
import type { HttpRoute } from '../http/routes/http-routes.ts';
import { conversionsHttp, conversionsRoutes } from './conversions/routes.ts';
import type { StatsDeps } from './deps.ts';
import { getStats } from './get-stats.ts';
import { liveHttp, liveRoutes } from './live/routes.ts';
import type { StatsQuery } from './query.ts';
import { readQuery } from './read-query.ts';
import { reportHttp, reportRoutes } from './report/routes.ts';
import { strictJson } from './requests/json-requests.ts';
import { readParameters } from './requests/query-parameters.ts';
import { badRequest, valid } from './requests/refuse.ts';
import { GET_STATS } from './rest-api.ts';
import { auditRoutes } from './run-audit.ts';
import { selectJson } from './select-rows.ts';
import { sinceOf } from './since.ts';
import { reportStatement, unattributedReport } from './sql.ts';

export function statsRoutes(router: ConnectRouter, deps: StatsDeps): void {
  router.rpc(
    StatsService.method.getStats,
    async (request, { signal }) => getStats(deps.client, valid(await readQuery(request, deps, signal)), signal),
    { jsonOptions: strictJson(GetStatsRequestSchema) },
  );
  reportRoutes(router, deps);
  conversionsRoutes(router, deps);
  liveRoutes(router, deps);
  auditRoutes(router, deps);
}

/** `GET /api/v1/stats`: GetStats with the fields in snake_case as query parameters, answered as plain JSON numbers. */
export function statsHttp(deps: StatsDeps): HttpRoute[] {
  return [
    {
      ...GET_STATS,
      async handle({ query: text }) {
        const request = readParameters(GetStatsRequestSchema, text);
        if ('field' in request) return badRequest(request);
        const query = await readQuery(request, deps);
        if ('field' in query) return badRequest(query);
        const begin = `{"interval":"${Interval[query.interval].toLowerCase()}","data":`;
        const end = await endOf(deps.client, query);
        const rows = await selectJson(deps.client, reportStatement(query));
        // Errors need no callback: they destroy the stream, and its reader gets them.
        const stream = pipeline(rows, envelope(begin, end), () => {});
        return { status: 200, headers: { 'content-type': 'application/json' }, body: '', stream };
      },
    },
    ...conversionsHttp(deps),
    ...liveHttp(deps),
    ...reportHttp(deps),
  ];
}

/**
 * What follows the rows of a report: what is not attributed, if asked for, the zone of its days, if not UTC, and since
 * when it counts, if not always.
 */
async function endOf(client: ClickHouseClient, query: StatsQuery): Promise<string> {
  const unattributed = query.unattributed && (await textOf(await selectJson(client, unattributedReport(query))));
  const { model, modelUntil, rollupSince, timeZone } = await sinceOf(client, query);
  const times = { model: Number(model), model_until: Number(modelUntil), rollup: Number(rollupSince) };
  const since = Object.entries(times).filter(([, time]) => time !== 0);
  return [
    unattributed ? `,"unattributed":${unattributed}` : '',
    timeZone === UTC ? '' : `,"time_zone":${JSON.stringify(timeZone)}`,
    since.length > 0 ? `,"since":${JSON.stringify(Object.fromEntries(since))}` : '',
    '}',
  ].join('');
}

/** Buffers all that ClickHouse sends, however slowly the caller reads: its connection is then free for others. */
function envelope(begin: string, end: string): PassThrough {
  const stream = new PassThrough({
    readableHighWaterMark: Number.MAX_SAFE_INTEGER,
    flush: (done) => done(null, end),
  });
  stream.push(begin);
  return stream;
}
