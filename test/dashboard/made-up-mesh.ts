import { create } from '@bufbuild/protobuf';
import type { ConnectRouter } from '@connectrpc/connect';
import pino from 'pino';
import {
  ListConversionsResponseSchema,
  ReportInterval,
  type ReportRow,
  type RunReportRequest,
  type RunReportResponse,
  RunReportResponseSchema,
  WatchReportResponseSchema,
} from '../../gen/ts/clickmesh/v1/reports_pb.js';
import { StatsService } from '../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { buildDashboard } from '../../services/dashboard/build.ts';
import { dashboardHttp } from '../../services/dashboard/routes.ts';
import { json } from '../../services/http/exchange/http-message.ts';
import { type RunningServer, serve } from '../../services/http/server/server.ts';
import { temporaryFolder } from '../fixtures/mesh-process.ts';
import { chance, conversionOf, datesOf, MODELS, rowOf, sumOf, valuesOf } from './made-up-rows.ts';

export interface MadeUpMesh extends RunningServer {
  /** How many campaigns there are; the numbers of each follow from its name. */
  campaigns: number;
  /** Everything is multiplied by it, and watchers are told. */
  grow(): void;
}

/** Serves the dashboard, as it is built now, over numbers that are made up but add up: for tests of what is shown. */
export async function startMadeUpMesh(): Promise<MadeUpMesh> {
  const folder = temporaryFolder();
  await buildDashboard(folder.path);
  let growth = 1;
  let changed = Promise.withResolvers<void>();
  const answer = (request: RunReportRequest) => reportOf(request, mesh.campaigns, growth);
  const services = (router: ConnectRouter) =>
    router.service(StatsService, {
      runReport: answer,
      async *watchReport({ query }, { signal }) {
        for (let n = 0; !signal.aborted; n++) {
          const { stamp } = answer(query!);
          const { completeThrough, lagMs } = stamp!;
          const report = n === 0 ? {} : { report: answer(query!) };
          yield create(WatchReportResponseSchema, { ...report, completeThrough, lagMs, cursor: String(n) });
          await Promise.race([changed.promise, new Promise((resolve) => signal.addEventListener('abort', resolve))]);
        }
      },
      listConversions({ limit, pageToken }) {
        const from = Number(pageToken || 0);
        const conversions = Array.from({ length: limit || 100 }, (_, i) => conversionOf(from + i, Date.now()));
        const nextPageToken = String(from + conversions.length);
        return create(ListConversionsResponseSchema, { conversions, total: 37_969n, nextPageToken });
      },
    });
  const status = {
    method: 'GET',
    path: '/status',
    summary: 'made up',
    handle: async () => json({ models: MODELS, report_time_zone: 'UTC' }),
  };
  const logger = pino({ level: 'silent' });
  const routes = [...dashboardHttp(folder.path), status];
  const server = await serve({ host: '127.0.0.1', port: 0, services, routes, logger, drainMs: 100, lastRequestMs: 0 });
  const mesh: MadeUpMesh = {
    ...server,
    campaigns: 11,
    async close() {
      await server.close();
      folder[Symbol.dispose]();
    },
    grow() {
      growth *= 1.5;
      changed.resolve();
      changed = Promise.withResolvers();
    },
  };
  return mesh;
}

function reportOf(request: RunReportRequest, campaigns: number, growth: number): RunReportResponse {
  const { groupBy, filters, limit, pageToken, compare, orderBy } = request;
  const models = request.models.length > 0 ? request.models : MODELS.slice(0, 1);
  const [by] = groupBy;
  const only = filters.find(({ dimension }) => dimension === by);
  const values = by === undefined ? [''] : valuesOf(by, campaigns).filter((one) => allows(only, one));
  const rows = datesOf(request).flatMap((date) =>
    values.map((value, i) => {
      const weight =
        (growth * (by === undefined ? 12 : 8 / (i + 1))) / (request.interval === ReportInterval.NONE ? 0.05 : 1);
      const row = rowOf(date, by === undefined ? [] : [value], weight, models);
      if (compare !== 0) row.previous = rowOf(before(date), row.values, weight * (0.8 + 0.2 * chance(value)), models);
      return row;
    }),
  );
  if (orderBy !== '') rows.sort(orderOf(orderBy, models));
  const now = new Date().toISOString().slice(0, 10);
  for (const row of rows) row.partial = row.date.slice(0, 10) >= now;
  const totals = sumOf(rows, models);
  if (compare !== 0)
    totals.previous = sumOf(
      rows.map(({ previous }) => previous!),
      models,
    );
  const from = Number(pageToken || 0);
  const page = rows.slice(from, from + (limit || 1000));
  return create(RunReportResponseSchema, {
    rows: page,
    totals,
    unattributed: rowOf('', ['unattributed'], 1, ['']),
    totalRows: BigInt(rows.length),
    nextPageToken: from + page.length < rows.length ? String(from + page.length) : '',
    stamp: {
      models,
      lookbacks: [{ lookbackMs: 86_400_000n }],
      timeZone: 'UTC',
      rollup: 'day:campaign_id,ad_id',
      modelsSince: models.map(() => 0n),
      completeThrough: BigInt(Date.now() - 1200),
      lagMs: 1200n,
      changesForMs: 604_800_000n,
      correctionsForMs: 7_776_000_000n,
      currency: 'USD',
    },
  });
}

/** 28 days before a date, as rows have it. */
function before(date: string): string {
  if (date === '') return '';
  const day = new Date(Date.parse(date.slice(0, 10)) - 28 * 86_400_000);
  return day.toISOString().slice(0, 10) + date.slice(10);
}

function allows(filter: RunReportRequest['filters'][number] | undefined, value: string): boolean {
  return filter === undefined || filter.values.includes(value) !== filter.exclude;
}

function orderOf(orderBy: string, models: readonly string[]): (a: ReportRow, b: ReportRow) => number {
  const sign = orderBy.startsWith('-') ? -1 : 1;
  const [measure, model] = orderBy.replace(/^-/, '').split('.');
  const at = Math.max(0, models.indexOf(model ?? ''));
  const of = (row: ReportRow) => {
    const all = row.models.map(({ conversionsMicros }) => Number(conversionsMicros));
    if (measure === 'spread') return Math.max(...all) - Math.min(...all);
    if (measure === 'clicks') return Number(row.clicks);
    if (measure === 'revenue') return Number(row.models[at]!.revenueMicros);
    return measure === 'conversions' ? all[at]! : 0;
  };
  return (a, b) => sign * (of(a) - of(b) || (a.values[0]! < b.values[0]! ? -1 : 1));
}
