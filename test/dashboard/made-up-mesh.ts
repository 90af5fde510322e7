import { create, toJsonString } from '@bufbuild/protobuf';
import type { ConnectRouter } from '@connectrpc/connect';
import pino from 'pino';
import {
  ListConversionsResponseSchema,
  type ReportInterval,
  type ReportRow,
  ReportRowSchema,
  type RunReportRequest,
  RunReportRequestSchema,
  type RunReportResponse,
  RunReportResponseSchema,
  WatchReportResponseSchema,
} from '../../gen/ts/clickmesh/v1/reports_pb.js';
import { StatsService } from '../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { buildDashboard } from '../../services/dashboard/build.ts';
import { dashboardHttp } from '../../services/dashboard/routes.ts';
import { type RunningServer, serve } from '../../services/http/server/server.ts';
import { temporaryFolder } from '../fixtures/mesh-process.ts';
import { clicksOf, explanationOf } from './made-up-explanation.ts';
import { type MadeUpOperations, madeUpOperations } from './made-up-operations.ts';
import { lagOf, lengthsOf, pathsOf, touchesOf } from './made-up-paths.ts';
import {
  bySource,
  campaignRows,
  conversionOf,
  daysOf,
  MODELS,
  measured,
  partsOf,
  periodOf,
  sumOf,
} from './made-up-rows.ts';

export interface MadeUpMesh extends RunningServer {
  operations: MadeUpOperations;
  /** How many campaigns there are; the numbers of each follow from its name. */
  campaigns: number;
  /** Clicks that answers without a dimension lack, which is a fault. */
  tilesMiss: number;
  /** Everything is multiplied by it, and watchers are told. */
  grow(): void;
}

/** Serves the dashboard, as it is built now, over made-up numbers that add up: for tests of what is shown. */
export async function startMadeUpMesh(): Promise<MadeUpMesh> {
  const folder = temporaryFolder();
  await buildDashboard(folder.path);
  const operations = madeUpOperations();
  let growth = 1;
  let changed = Promise.withResolvers<void>();
  const answer = (request: RunReportRequest) => reportOf(request, mesh, growth);
  const services = (router: ConnectRouter) =>
    router.service(StatsService, {
      ...operations.methods,
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
      explainConversion: explanationOf,
      listClicks: clicksOf,
      topPaths: pathsOf,
      topTouches(request) {
        const { startDate, endDate } = request;
        const { totals } = answer(create(RunReportRequestSchema, { startDate, endDate }));
        return touchesOf(request, totals!.models[0]!.conversionsMicros / 1_000_000n);
      },
      timeLag: lagOf,
      pathLength: lengthsOf,
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
    handle: async () => operations.status({ models: MODELS, report_time_zone: 'UTC' }),
  };
  const logger = pino({ level: 'silent' });
  const routes = [...dashboardHttp(folder.path), status, operations.readyz];
  const server = await serve({ host: '127.0.0.1', port: 0, services, routes, logger, drainMs: 100, lastRequestMs: 0 });
  const mesh: MadeUpMesh = {
    ...server,
    operations,
    campaigns: 11,
    tilesMiss: 0,
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

/** All that a request counts, of which an answer has a page. */
interface Whole {
  rows: ReportRow[];
  totals: ReportRow;
  models: readonly string[];
}

/** By what is asked, so that pages of the same are made once. */
const wholes = new Map<string, Whole>();
const KEPT_WHOLES = 8;

function reportOf(request: RunReportRequest, { campaigns, tilesMiss }: MadeUpMesh, growth: number): RunReportResponse {
  const { limit, pageToken } = request;
  const asked = toJsonString(RunReportRequestSchema, { ...request, limit: 0, pageToken: '' });
  const key = [asked, campaigns, tilesMiss, growth].join(' ');
  const { rows, totals, models } = wholes.get(key) ?? wholeOf(request, campaigns, tilesMiss, growth);
  wholes.delete(key);
  wholes.set(key, { rows, totals, models });
  for (const old of wholes.keys()) {
    if (wholes.size <= KEPT_WHOLES) break;
    wholes.delete(old);
  }
  const from = Number(pageToken || 0);
  const page = rows.slice(from, from + (limit || 1000));
  return create(RunReportResponseSchema, {
    rows: page,
    totals,
    unattributed: unattributedOf(totals),
    totalRows: BigInt(rows.length),
    nextPageToken: from + page.length < rows.length ? String(from + page.length) : '',
    stamp: {
      models: [...models],
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

function wholeOf(request: RunReportRequest, campaigns: number, tilesMiss: number, growth: number): Whole {
  const { groupBy, compare, orderBy, interval } = request;
  const models = request.models.length > 0 ? request.models : MODELS.slice(0, 1);
  const [by] = groupBy;
  const days = daysOf(request);
  // Many campaigns are of one day, as they are about rows.
  const counted = campaigns > 100 ? days.slice(-1) : days;
  const rowsOf = (of: readonly string[], more: number) =>
    of.flatMap((day) => {
      const all = campaignRows(day, campaigns, more, models);
      const chosen = all.filter(({ values: [name] }) => allows(request, 'campaign_id', name!));
      const rows =
        by === 'campaign_id' ? chosen : by === undefined ? [sumOf(chosen, models)] : partsOf(sumOf(chosen, models), by);
      return rows
        .filter(({ values: [name] }) => by === undefined || allows(request, by, name!))
        .map((row) => ({ day, row }));
    });
  const before = compare === 0 ? [] : rowsOf(daysOf(request, true).slice(-counted.length), growth * 0.9);
  const ofDimension = grouped(rowsOf(counted, growth), interval, models);
  const rows = groupBy[1] === 'source' ? bySource(ofDimension) : ofDimension;
  const previous = new Map(grouped(before, interval, models).map((row, i) => [i, row]));
  if (compare !== 0) for (const [i, row] of rows.entries()) row.previous = previous.get(i);
  const totals = sumOf(rows, models);
  if (compare !== 0) totals.previous = sumOf([...previous.values()], models);
  if (by === undefined) totals.clicks -= BigInt(tilesMiss);
  if (orderBy !== '') rows.sort(orderOf(orderBy, models));
  const now = new Date().toISOString().slice(0, 10);
  for (const row of rows) row.partial = row.date.slice(0, 10) >= now;
  return { rows, totals, models };
}

/** One of twelve conversions had no click. */
function unattributedOf({ models: [all], previous }: ReportRow): ReportRow {
  const lost = measured('', (all!.conversionsMicros / 12_000_000n) * 1_000_000n);
  const before = previous && unattributedOf(previous);
  return create(ReportRowSchema, { models: [lost], ...(before && { previous: before }) });
}

/** Rows of days as rows of periods. */
function grouped(
  rows: readonly { day: string; row: ReportRow }[],
  interval: ReportInterval,
  models: readonly string[],
) {
  const groups = Map.groupBy(rows, ({ day, row }) => `${periodOf(day, interval)}\n${row.values[0] ?? ''}`);
  return Array.from(groups, ([key, of]) => {
    const [date, value] = key.split('\n') as [string, string];
    const sum = sumOf(
      of.map(({ row }) => row),
      models,
    );
    return Object.assign(sum, { date, values: of[0]!.row.values.length === 0 ? [] : [value] });
  });
}

function allows({ filters }: RunReportRequest, dimension: string, value: string): boolean {
  const filter = filters.find((each) => each.dimension === dimension);
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
