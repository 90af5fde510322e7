import { PassThrough, pipeline } from 'node:stream';
import { create } from '@bufbuild/protobuf';
import type { ClickHouseClient } from '@clickhouse/client';
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect';
import { GetStatsRequestSchema, Interval, StatsService } from '../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { type HttpResponse, json } from '../http/exchange/http-message.ts';
import type { HttpRoute } from '../http/routes/http-routes.ts';
import { explainConversion } from './explain-conversion.ts';
import { getStats } from './get-stats.ts';
import { type FieldError, parseQuery } from './query.ts';
import { GET_STATS } from './rest-api.ts';
import { selectJson } from './select-rows.ts';
import { reportStatement } from './sql.ts';
import { parsePeriod, watchStats } from './watch-stats.ts';

export interface StatsDeps {
  /** A client of a migrated server. */
  client: ClickHouseClient;
  /** Ends the streams of WatchStats, which otherwise last until the caller leaves. */
  shutdown?: AbortSignal;
}

export function statsRoutes(router: ConnectRouter, { client, shutdown }: StatsDeps): void {
  router.service(StatsService, {
    getStats: (request, { signal }) => getStats(client, valid(parseQuery(request)), signal),

    async *watchStats({ query, periodMs }, { signal }) {
      const checked = valid(parseQuery(query ?? create(GetStatsRequestSchema)));
      const until = shutdown === undefined ? signal : AbortSignal.any([signal, shutdown]);
      for await (const stats of watchStats(client, checked, valid(parsePeriod(periodMs)), until)) yield { stats };
    },

    async explainConversion(request, { signal }) {
      const explanation = await explainConversion(client, request, signal);
      if (explanation === undefined) throw new ConnectError('no decision on this conversion is known', Code.NotFound);
      return valid(explanation);
    },
  });
}

/** `GET /api/v1/stats`: GetStats with the fields in snake_case as query parameters, answered as plain JSON numbers. */
export function statsHttp({ client }: StatsDeps): HttpRoute[] {
  return [
    {
      ...GET_STATS,
      async handle({ query: text }) {
        const parameters = new URLSearchParams(text);
        const parameter = (name: string) => parameters.get(name) ?? '';
        const intervalName = parameter('interval') || 'daily';
        const interval = INTERVALS.get(intervalName);
        if (interval === undefined) {
          return badRequest({ field: 'interval', message: 'interval is not daily, weekly or monthly' });
        }
        const query = parseQuery(
          create(GetStatsRequestSchema, {
            startDate: parameter('start_date'),
            endDate: parameter('end_date'),
            campaignId: parameter('campaign_id'),
            source: parameter('source'),
            conversionType: parameter('conversion_type'),
            model: parameter('model'),
            interval,
          }),
        );
        if ('field' in query) return badRequest(query);
        const rows = await selectJson(client, reportStatement(query));
        // Errors need no callback: they destroy the stream, and its reader gets them.
        const stream = pipeline(rows, envelope(`{"interval":"${intervalName}","data":`, '}'), () => {});
        return { status: 200, headers: { 'content-type': 'application/json' }, body: '', stream };
      },
    },
  ];
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

const INTERVALS = new Map([
  ['daily', Interval.DAILY],
  ['weekly', Interval.WEEKLY],
  ['monthly', Interval.MONTHLY],
]);

function badRequest(error: FieldError): HttpResponse {
  return json({ error: { code: 'invalid_argument', ...error } }, 400);
}

/** Throws INVALID_ARGUMENT for a field that can't be answered; its message begins with the field's name. */
function valid<T>(result: T | FieldError): T {
  if (typeof result === 'object' && result !== null && 'field' in result) {
    throw new ConnectError((result as FieldError).message, Code.InvalidArgument);
  }
  return result as T;
}
