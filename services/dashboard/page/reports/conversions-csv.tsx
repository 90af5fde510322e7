import { useState } from 'preact/hooks';
import type { ListConversionsRequest, ListedConversion } from '../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { stats } from '../data/client.ts';
import { MAX_ROWS } from '../data/report.ts';
import { count, decimal } from '../format/number.ts';
import { Icon } from '../parts/icon.tsx';
import { toast } from '../parts/toast.tsx';
import { type CsvColumn, saveCsv } from './save-csv.ts';

/** Rows asked for at a time: the most that the contract has. */
const PAGE_ROWS = 1000;

const isoTime = (ms: bigint) => new Date(Number(ms)).toISOString();

const COLUMNS: readonly CsvColumn<ListedConversion>[] = [
  { name: 'conversion_time', text: ({ conversionTime }) => isoTime(conversionTime) },
  { name: 'conversion_id', text: ({ conversionId }) => conversionId },
  { name: 'user_id', text: ({ userId }) => userId },
  { name: 'conversion_type', text: ({ conversionType }) => conversionType },
  { name: 'value', text: ({ valueMicros }) => decimal(valueMicros), isNumber: true },
  { name: 'net_value', text: ({ netValueMicros }) => decimal(netValueMicros), isNumber: true },
  { name: 'credit', text: ({ creditMicros }) => decimal(creditMicros), isNumber: true },
  { name: 'retracted', text: ({ retracted }) => String(retracted) },
  { name: 'campaign_id', text: ({ campaignId }) => campaignId },
  { name: 'ad_id', text: ({ adId }) => adId },
  { name: 'source', text: ({ source }) => source },
  { name: 'touches', text: ({ touches }) => String(touches), isNumber: true },
  { name: 'lag_ms', text: ({ lagMs }) => String(lagMs ?? ''), isNumber: true },
  { name: 'corrected_by', text: ({ correctedBy }) => correctedBy.join(' ') },
];

/** Saves all conversions of a list, not only those that are shown. @param total how many there are, if known */
export function ConversionsCsv({ request, total }: { request: ListConversionsRequest; total: bigint | undefined }) {
  const [isLoading, setLoading] = useState(false);
  const isPart = total !== undefined && total > BigInt(MAX_ROWS);
  async function save() {
    setLoading(true);
    try {
      saveCsv(`clickmesh-conversions-${request.startDate}-${request.endDate}`, COLUMNS, await listAll(request));
    } catch (error) {
      toast(`No CSV: ${(error as Error).message}`);
    }
    setLoading(false);
  }
  return (
    <button
      type="button"
      class="btn ghost"
      aria-busy={isLoading}
      disabled={isLoading}
      data-tip={
        isPart ? `The first ${count(BigInt(MAX_ROWS))} of ${count(total)}, exact, as CSV` : 'All, exact, as CSV'
      }
      onClick={save}
    >
      <Icon name="download" />
      CSV
    </button>
  );
}

async function listAll(request: ListConversionsRequest): Promise<ListedConversion[]> {
  const all: ListedConversion[] = [];
  let pageToken = '';
  do {
    const page = await stats.listConversions({ ...request, limit: PAGE_ROWS, pageToken });
    all.push(...page.conversions);
    pageToken = page.nextPageToken;
  } while (pageToken !== '' && all.length < MAX_ROWS);
  return all;
}
