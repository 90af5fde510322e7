import type { GetStatsResponse, Since, StatsRow } from '../../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { type Column, renderTable } from '../table.ts';

const DATE: Column<StatsRow> = { title: 'date', text: (row) => row.date };
const CAMPAIGN_AND_SOURCE: readonly Column<StatsRow>[] = [
  { title: 'campaign_id', text: (row) => row.campaignId },
  { title: 'source', text: (row) => row.source },
];
const COUNTS: readonly Column<StatsRow>[] = [
  { title: 'clicks', text: (row) => row.clicks.toString(), right: true },
  { title: 'conversions', text: (row) => decimal(row.conversionsMicros, 0), right: true },
  { title: 'revenue', text: (row) => money(row.revenueMicros, row.revenue), right: true },
  { title: 'cvr', text: (row) => row.cvr?.toFixed(4) ?? '', right: true },
];
const GROSS: readonly Column<StatsRow>[] = [
  { title: 'invalid_clicks', text: (row) => String(row.invalidClicks ?? ''), right: true },
  { title: 'gross_conversions', text: (row) => decimal(row.grossConversionsMicros ?? 0n, 0), right: true },
  { title: 'gross_revenue', text: (row) => money(row.grossRevenueMicros, row.grossRevenue), right: true },
  { title: 'refunds', text: (row) => money(row.refundsMicros, row.refunds), right: true },
];

/** What rows are by: as the answer has it in place of campaign and source. */
function columnsOf({ data, unattributed }: GetStatsResponse, by: readonly string[] | undefined): Column<StatsRow>[] {
  const dimensions = by?.map((title, i) => ({ title, text: (row: StatsRow) => row.values[i] ?? '' }));
  const hasGross = [...data, ...unattributed].some(({ refundsMicros }) => refundsMicros !== undefined);
  return [DATE, ...(dimensions ?? CAMPAIGN_AND_SOURCE), ...COUNTS, ...(hasGross ? GROSS : [])];
}

/** The sign in a table for a cell without a value. */
const NONE = '–';

/** Aligned columns; conversions and revenue exact. What is not attributed comes last. */
export function statsTable(response: GetStatsResponse, by?: readonly string[]): string {
  const columns = columnsOf(response, by).map((column) => ({
    ...column,
    text: (row: StatsRow) => column.text(row) || NONE,
  }));
  const rows = [...response.data, ...response.unattributed];
  return rows.length > 0 ? renderTable(columns, rows) : 'nothing counted in these days\n';
}

/** RFC 4180, with a header line. */
export function statsCsv(response: GetStatsResponse, by?: readonly string[]): string {
  const columns = columnsOf(response, by);
  const counted = [...response.data, ...response.unattributed];
  const rows = [columns.map(({ title }) => title), ...counted.map((row) => columns.map(({ text }) => text(row)))];
  return rows.map((row) => `${row.map(quoted).join(',')}\r\n`).join('');
}

/** Lines for people on what rows of older or newer days lack; empty if nothing. */
export function sinceNote(since: Since | undefined): string {
  if (since === undefined) return '';
  const lines = [
    [since.model, 'the model is counted only from'],
    [since.modelUntil, 'the model is counted only until'],
    [since.rollupSince, `the rollup ${since.rollup} is counted only from`],
  ] as const;
  const told = lines.filter(([time]) => time !== 0n);
  return told.map(([time, text]) => `note: ${text} ${new Date(Number(time)).toISOString()}\n`).join('');
}

/** Most that `_micros` can hold: it stands for all sums beyond. */
const MOST_MICROS = 2n ** 63n - 1n;
const FIXED = { useGrouping: false, minimumFractionDigits: 2 } as const;

/** Exact, but for a sum beyond 64 bits: of that the digits that a double has. */
function money(micros = 0n, value = 0): string {
  return micros === MOST_MICROS ? value.toLocaleString('en', FIXED) : decimal(micros, 2);
}

/** Micros as a decimal number with at least `decimals` decimals, and beyond these no zeros at the end. */
function decimal(micros: bigint, decimals: number): string {
  const [sign, size] = micros < 0n ? ['-', -micros] : ['', micros];
  const fraction = (size % 1_000_000n).toString().padStart(6, '0').replace(/0+$/, '').padEnd(decimals, '0');
  return `${sign}${size / 1_000_000n}${fraction && `.${fraction}`}`;
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
