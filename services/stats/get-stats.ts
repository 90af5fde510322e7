import type { ClickHouseClient } from '@clickhouse/client';
import { Code, ConnectError } from '@connectrpc/connect';
import type { GetStatsResponse, StatsRow } from '../../gen/ts/clickmesh/v1/stats_service_pb.js';
import type { Dimension } from '../contract/rollups.ts';
import type { StatsQuery } from './query.ts';
import { selectRows } from './select-rows.ts';
import { sinceOf } from './since.ts';
import { statsStatement, unattributedStatement } from './sql.ts';

/** Most rows of an answer, which is one message: a row takes about a kilobyte of memory, and some 100 bytes of it. */
const MAX_ROWS = 200_000;

export async function getStats(
  client: ClickHouseClient,
  query: StatsQuery,
  signal?: AbortSignal,
): Promise<GetStatsResponse> {
  const [since, rows, unattributed] = await Promise.all([
    sinceOf(client, query),
    selectRows<SelectedRow>(client, statsStatement(query, MAX_ROWS + 1), signal),
    query.unattributed ? selectRows<SelectedRow>(client, unattributedStatement(query), signal) : [],
  ]);
  if (rows.length > MAX_ROWS) throw new ConnectError(TOO_MANY_ROWS, Code.InvalidArgument);
  return {
    $typeName: 'clickmesh.v1.GetStatsResponse',
    interval: query.interval,
    data: rows.map((row) => statsRow(row, query.by)),
    unattributed: unattributed.map((row) => statsRow(row, undefined)),
    since,
  };
}

const TOO_MANY_ROWS =
  `the answer has more than ${MAX_ROWS} rows: ask for fewer days, a longer interval, one campaign_id or one source; ` +
  'or by GET /api/v1/stats, which answers any number';

/** A row of statsStatement; its sums are strings, as they may be beyond 2^53. */
interface SelectedRow extends Partial<Record<Dimension, string>> {
  date: string;
  /** Not there of unattributed conversions. */
  clicks?: string;
  conversions_micros: string;
  revenue_micros: string;
  /** This and those below if gross numbers are asked for. */
  invalid_clicks?: string;
  retracted_micros?: string;
  adjusted_micros?: string;
  refunds_micros?: string;
}

function statsRow(row: SelectedRow, by: readonly Dimension[] | undefined): StatsRow {
  const clicks = BigInt(row.clicks ?? 0);
  const conversionsMicros = BigInt(row.conversions_micros);
  const conversions = units(conversionsMicros);
  const revenueMicros = BigInt(row.revenue_micros);
  return {
    $typeName: 'clickmesh.v1.StatsRow',
    date: row.date,
    campaignId: row.campaign_id ?? '',
    source: row.source ?? '',
    clicks,
    conversions,
    revenue: units(revenueMicros),
    cvr: clicks === 0n ? undefined : conversions / Number(clicks),
    conversionsMicros,
    revenueMicros: saturated(revenueMicros),
    values: by?.map((dimension) => row[dimension]!) ?? [],
    ...(row.refunds_micros === undefined ? {} : grossOf(row, conversionsMicros, revenueMicros)),
  };
}

function grossOf(row: SelectedRow, conversionsMicros: bigint, revenueMicros: bigint): Partial<StatsRow> {
  const grossConversionsMicros = conversionsMicros + BigInt(row.retracted_micros!);
  const grossRevenueMicros = revenueMicros + BigInt(row.adjusted_micros!);
  const refundsMicros = BigInt(row.refunds_micros!);
  return {
    invalidClicks: BigInt(row.invalid_clicks ?? 0),
    grossConversions: units(grossConversionsMicros),
    grossRevenue: units(grossRevenueMicros),
    refunds: units(refundsMicros),
    grossConversionsMicros,
    grossRevenueMicros: saturated(grossRevenueMicros),
    refundsMicros: saturated(refundsMicros),
  };
}

const MAX_INT64 = 2n ** 63n - 1n;

/** The nearest int64. */
function saturated(micros: bigint): bigint {
  if (micros > MAX_INT64) return MAX_INT64;
  return micros < -MAX_INT64 - 1n ? -MAX_INT64 - 1n : micros;
}

const MILLION = 1_000_000n;

/** The double nearest to an amount of micros in units. Both steps of a division would round beyond 2^53. */
function units(micros: bigint): number {
  if (micros <= Number.MAX_SAFE_INTEGER && micros >= Number.MIN_SAFE_INTEGER) return Number(micros) / 1e6;
  const size = micros < 0n ? -micros : micros;
  const fraction = (size % MILLION).toString().padStart(6, '0');
  return Number(`${micros < 0n ? '-' : ''}${size / MILLION}.${fraction}`);
}
