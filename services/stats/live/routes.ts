import { Readable } from 'node:stream';
import { create, toBinary, toJsonString } from '@bufbuild/protobuf';
import type { ClickHouseClient } from '@clickhouse/client';
import type { ConnectRouter } from '@connectrpc/connect';
import {
  type RunReportRequest,
  RunReportRequestSchema,
  TailEventsRequestSchema,
  type TailEventsResponse,
  TailEventsResponseSchema,
  WatchReportRequestSchema,
} from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import {
  GetStatsRequestSchema,
  type GetStatsResponse,
  GetStatsResponseSchema,
  StatsService,
  WatchStatsRequestSchema,
} from '../../../gen/ts/clickmesh/v1/stats_service_pb.js';
import type { HttpResponse } from '../../http/exchange/http-message.ts';
import type { HttpRoute } from '../../http/routes/http-routes.ts';
import type { StatsDeps } from '../deps.ts';
import { getStats } from '../get-stats.ts';
import { readQuery } from '../read-query.ts';
import { checkReport } from '../report/ask-report.ts';
import { reportJson } from '../report/forms.ts';
import { strictJson } from '../requests/json-requests.ts';
import { readParameters } from '../requests/query-parameters.ts';
import { badRequest, valid } from '../requests/refuse.ts';
import { TAIL_EVENTS, WATCH_REPORT } from '../rest-api.ts';
import { type Change, changesOf, parsePeriod } from './changes.ts';
import { SharedLooks } from './shared-looks.ts';
import { parseTail, type Tail, tailLook } from './tail-events.ts';
import { reportLook, type Seen, watchMessage } from './watch-report.ts';

interface Looks {
  stats: SharedLooks<Change<GetStatsResponse>>;
  reports: SharedLooks<Seen>;
  tails: SharedLooks<TailEventsResponse>;
}

const looksByClient = new WeakMap<ClickHouseClient, Looks>();

/** Those of all who watch one ClickHouse, by whatever way. */
function looksOf(client: ClickHouseClient): Looks {
  const looks = looksByClient.get(client) ?? {
    ...{ stats: new SharedLooks(), reports: new SharedLooks(), tails: new SharedLooks() },
  };
  looksByClient.set(client, looks);
  return looks;
}

export function liveRoutes(router: ConnectRouter, deps: StatsDeps): void {
  const { client, shutdown } = deps;
  const until = (signal: AbortSignal) => either(signal, shutdown);

  router.rpc(
    StatsService.method.watchStats,
    async function* ({ query: asked = create(GetStatsRequestSchema), periodMs, cursor: seen }, { signal }) {
      const query = valid(await readQuery(asked, deps, signal));
      const period = valid(parsePeriod(periodMs));
      const key = JSON.stringify([query, period]);
      const read = (signal: AbortSignal) => getStats(client, query, signal);
      const look = () => changesOf(read, (stats) => toBinary(GetStatsResponseSchema, stats), period);
      let cursor = seen;
      for await (const change of looksOf(client).stats.watch(key, look, until(signal))) {
        const isSeen = change?.cursor === cursor;
        cursor = change?.cursor ?? cursor;
        if (!isSeen) yield { stats: change?.value, cursor };
      }
    },
    { jsonOptions: strictJson(WatchStatsRequestSchema) },
  );
  router.rpc(
    StatsService.method.watchReport,
    async function* ({ query: asked = create(RunReportRequestSchema), periodMs, cursor: seen }, { signal }) {
      let cursor = seen;
      for await (const next of watchReport(asked, valid(parsePeriod(periodMs)), deps, until(signal))) {
        const message = watchMessage(next, cursor);
        cursor = message.cursor;
        yield message;
      }
    },
    { jsonOptions: strictJson(WatchReportRequestSchema) },
  );
  router.rpc(
    StatsService.method.tailEvents,
    async function* (request, { signal }) {
      for await (const answer of tail(valid(parseTail(request)), deps, until(signal))) yield answer ?? {};
    },
    { jsonOptions: strictJson(TailEventsRequestSchema) },
  );
}

/** Aborts when the caller leaves, or when the server is closing. */
function either(leaving: AbortSignal, shutdown: AbortSignal | undefined): AbortSignal {
  return shutdown === undefined ? leaving : AbortSignal.any([leaving, shutdown]);
}

function watchReport(asked: RunReportRequest, periodMs: number, deps: StatsDeps, signal: AbortSignal) {
  const key = `${periodMs} ${toJsonString(RunReportRequestSchema, asked)}`;
  return looksOf(deps.client).reports.watch(key, () => reportLook(asked, deps, periodMs), signal);
}

function tail(asked: Tail, { client, models }: StatsDeps, signal: AbortSignal) {
  const look = () => tailLook(client, asked, models[0]!);
  return looksOf(client).tails.watch(JSON.stringify(asked), look, signal);
}

/** Time between looks at a report that is watched by server-sent events, in ms. */
const REPORT_PERIOD_MS = 1000;

function seenText({ changed, cursor }: Seen): string | undefined {
  if (changed === undefined) return undefined;
  // Texts in JSON have no line breaks but escaped ones.
  const json = reportJson(changed.report, changed.query).replaceAll('\n', '');
  return `event: report\nid: ${cursor}\ndata: ${json}`;
}

function heartbeatText({ completeThrough, lagMs }: Seen): string {
  const times = { complete_through: Number(completeThrough), lag_ms: Number(lagMs) };
  return `event: heartbeat\ndata: ${JSON.stringify(times)}`;
}

/** The streams as server-sent events. */
export function liveHttp(deps: StatsDeps): HttpRoute[] {
  return [
    {
      ...WATCH_REPORT,
      async handle({ query, headers }, shutdown) {
        const request = readParameters(RunReportRequestSchema, query);
        if ('field' in request) return badRequest(request);
        const checked = await checkReport(request, deps);
        if ('field' in checked) return badRequest(checked);
        let seen = String(headers['last-event-id'] ?? '');
        const leaving = new AbortController();
        const seens = watchReport(request, REPORT_PERIOD_MS, deps, either(leaving.signal, shutdown));
        // So that what can't be answered is refused, and is no stream that ends.
        const first = await seens.next();
        const textOf = (next: Seen) => {
          const text = next.cursor === seen ? undefined : seenText(next);
          seen = next.cursor;
          return text ?? heartbeatText(next);
        };
        return serverSent(seens, leaving, textOf, first);
      },
    },
    {
      ...TAIL_EVENTS,
      async handle({ query }, shutdown) {
        const request = readParameters(TailEventsRequestSchema, query);
        if ('field' in request) return badRequest(request);
        const asked = parseTail(request);
        if ('field' in asked) return badRequest(asked);
        const leaving = new AbortController();
        const answers = tail(asked, deps, either(leaving.signal, shutdown));
        return serverSent(answers, leaving, (answer) => `data: ${toJsonString(TailEventsResponseSchema, answer)}`);
      },
    },
  ];
}

/**
 * The answer that sends each value as it comes, and a comment for undefined, until there are no more.
 *
 * @param leaving is aborted when the caller leaves
 * @param first the value that was taken before; undefined if none was
 */
function serverSent<T>(
  values: AsyncGenerator<T | undefined>,
  leaving: AbortController,
  textOf: (value: T) => string,
  first?: IteratorResult<T | undefined>,
): HttpResponse {
  let taken = first;
  const stream = new Readable({
    read() {
      const push = ({ done, value }: IteratorResult<T | undefined>) =>
        this.push(done ? null : `${value === undefined ? ':' : textOf(value)}\n\n`);
      const next = taken === undefined ? values.next() : Promise.resolve(taken);
      taken = undefined;
      next.then(push, (error) => this.destroy(error));
    },
    destroy(error, done) {
      leaving.abort();
      // One that nobody reads waits for nothing that the signal could end.
      values.return(undefined).catch(() => {});
      done(error);
    },
  });
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' },
    body: '',
    stream,
  };
}
