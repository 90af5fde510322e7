import type { ClickHouseClient } from '@clickhouse/client';
import { Code, ConnectError } from '@connectrpc/connect';
import type { GetStatsResponse, StatsRow } from '../../gen/ts/clickmesh/v1/stats_service_pb.js';
import type { StatsQuery } from './query.ts';
import { selectRows } from './select-rows.ts';
import { statsStatement } from './sql.ts';

/** Most rows of an answer, which is one message: a row takes about a kilobyte of memory, and some 100 bytes of it. */
const MAX_ROWS = 200_000;

export async function getStats(
  client: ClickHouseClient,
  query: StatsQuery,
  signal?: AbortSignal,
): Promise<GetStatsResponse> {
  const rows = await selectRows<SelectedRow>(client, statsStatement(query, MAX_ROWS + 1), signal);
  if (rows.length > MAX_ROWS) throw new ConnectError(TOO_MANY_ROWS, Code.InvalidArgument);
  return { $typeName: 'clickmesh.v1.GetStatsResponse', interval: query.interval, data: rows.map(statsRow) };
}

const TOO_MANY_ROWS =
  `the answer has more than ${MAX_ROWS} rows: ask for fewer days, a longer interval, one campaign_id or one source; ` +
  'or by GET /api/v1/stats, which answers any number';

/** A row of statsStatement; its sums are strings, as they are 64 bits long. */
interface SelectedRow {
  date: string;
  campaign_id: string;
  source: string;
  clicks: string;
  conversions_micros: string;
  revenue_micros: string;
}

function statsRow(row: SelectedRow): StatsRow {
  const clicks = Number(row.clicks);
  const conversions = Number(row.conversions_micros) / 1e6;
  return {
    $typeName: 'clickmesh.v1.StatsRow',
    date: row.date,
    campaignId: row.campaign_id,
    source: row.source,
    clicks: BigInt(row.clicks),
    conversions,
    revenue: Number(row.revenue_micros) / 1e6,
    cvr: clicks === 0 ? undefined : conversions / clicks,
    conversionsMicros: BigInt(row.conversions_micros),
    revenueMicros: BigInt(row.revenue_micros),
  };
}
