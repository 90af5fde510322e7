import type { GetStatsResponse, StatsRow } from '../../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { type Column, renderTable } from '../table.ts';

const COLUMNS: readonly Column<StatsRow>[] = [
  { title: 'date', text: (row) => row.date },
  { title: 'campaign_id', text: (row) => row.campaignId },
  { title: 'source', text: (row) => row.source },
  { title: 'clicks', text: (row) => row.clicks.toString(), right: true },
  { title: 'conversions', text: (row) => decimal(row.conversionsMicros, 0), right: true },
  { title: 'revenue', text: (row) => decimal(row.revenueMicros, 2), right: true },
  { title: 'cvr', text: (row) => row.cvr?.toFixed(4) ?? '', right: true },
];

/** The sign in a table for a cell without a value. */
const NONE = '–';
const TABLE = COLUMNS.map((column) => ({ ...column, text: (row: StatsRow) => column.text(row) || NONE }));

/** Aligned columns; conversions and revenue exact. */
export function statsTable({ data }: GetStatsResponse): string {
  return data.length > 0 ? renderTable(TABLE, data) : 'nothing counted in these days\n';
}

/** RFC 4180, with a header line. */
export function statsCsv({ data }: GetStatsResponse): string {
  const rows = [COLUMNS.map(({ title }) => title), ...data.map((row) => COLUMNS.map(({ text }) => text(row)))];
  return rows.map((row) => `${row.map(quoted).join(',')}\r\n`).join('');
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
