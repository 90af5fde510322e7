import { Option } from 'commander';
import { filled } from '../options.ts';
import { print } from '../print.ts';
import { getText } from '../reach-mesh.ts';
import { type Column, renderTable } from '../table.ts';
import { addForms, csvOf, exactly, type Forms, linesOf, money, spanText, timeText, withSigns } from './forms.ts';
import { asking, CALL_TIMEOUT_MS, parametersOf, type Question } from './question.ts';

interface ConversionsQuestion extends Question {
  attributed?: string;
  model?: string;
  userId?: string;
  orderBy?: string;
  pageToken?: string;
}

/** A conversion of GET /api/v1/conversions, with numbers by their text. */
export interface Conversion {
  conversion_id: string;
  user_id: string;
  conversion_type: string;
  conversion_time: string;
  value: string;
  net_value: string;
  attributed: boolean;
  retracted: boolean;
  touches: string;
  lag_ms: string | null;
  campaign_id: string;
  ad_id: string;
  source: string;
  corrected_by: string[];
}

export interface ConversionsAnswer {
  conversions: Conversion[];
  total: string;
  next_page_token: string;
}

/** `clickmesh conversions`: what ListConversions answers. */
export const conversionsCommand = addForms(asking('conversions'))
  .description('List conversions, credited or not, with the click that has the most credit and what changed them.')
  .addOption(
    new Option('--attributed <which>', 'only those that a click is credited for, or not').choices(['yes', 'no']),
  )
  .option('--model <model>', 'attribution model of the filters, the click and the lag', filled)
  .option('--user-id <id>', 'only those of this user', filled)
  .option('--order-by <order>', 'time, value, corrections, touches or lag; -value from the greatest', filled)
  .option('--page-token <token>', 'the page after the one that named it', filled)
  .addHelpText(
    'after',
    `
Examples:
  clickmesh conversions --attributed no
  clickmesh conversions --start-date 2025-12-01 --end-date 2025-12-31 --order-by=-value --limit 5`,
  )
  .action(async (question: ConversionsQuestion & Forms) => {
    const { attributed, model, userId, orderBy, pageToken } = question;
    const others = { attributed, model, user_id: userId, order_by: orderBy, page_token: pageToken };
    const parameters = await parametersOf(question, others);
    const json = await getText(question.url, `/api/v1/conversions?${parameters}`, CALL_TIMEOUT_MS);
    if (question.json) return print(`${json}\n`);
    const answer = exactly<ConversionsAnswer>(json);
    if (question.ndjson) print(linesOf(json, 'conversions'));
    else if (question.csv) print(csvOf(CSV_COLUMNS, answer.conversions, question));
    else print(conversionsTable(answer));
    process.stderr.write(moreText(answer));
  });

export function conversionsTable({ conversions }: ConversionsAnswer): string {
  if (conversions.length === 0) return 'no conversions in these days\n';
  return renderTable(withSigns(TABLE_COLUMNS), conversions);
}

function moreText({ conversions, total, next_page_token: token }: ConversionsAnswer): string {
  return token === '' ? '' : `${conversions.length} of ${total} conversions; next: --page-token ${token}\n`;
}

const WHO: Column<Conversion>[] = [
  { title: 'time', text: (row) => timeText(row.conversion_time) },
  { title: 'conversion_id', text: (row) => row.conversion_id },
  { title: 'user_id', text: (row) => row.user_id },
  { title: 'type', text: (row) => row.conversion_type },
];
const CLICK: Column<Conversion>[] = [
  { title: 'campaign_id', text: (row) => row.campaign_id },
  { title: 'ad_id', text: (row) => row.ad_id },
  { title: 'source', text: (row) => row.source },
  { title: 'touches', text: (row) => row.touches, right: true },
];

const TABLE_COLUMNS: Column<Conversion>[] = [
  ...WHO,
  { title: 'value', text: (row) => money(row.value), right: true },
  { title: 'net', text: (row) => money(row.net_value), right: true },
  ...CLICK,
  { title: 'lag', text: (row) => (row.lag_ms === null ? '' : spanText(row.lag_ms)), right: true },
  { title: 'corrected by', text: (row) => row.corrected_by.join(' ') },
];

/** Named as by REST, with all digits. */
const CSV_COLUMNS: Column<Conversion>[] = [
  { title: 'conversion_time', text: (row) => timeText(row.conversion_time) },
  ...WHO.slice(1, 3),
  { title: 'conversion_type', text: (row) => row.conversion_type },
  { title: 'value', text: (row) => row.value, right: true },
  { title: 'net_value', text: (row) => row.net_value, right: true },
  { title: 'attributed', text: (row) => String(row.attributed) },
  { title: 'retracted', text: (row) => String(row.retracted) },
  ...CLICK,
  { title: 'lag_ms', text: (row) => row.lag_ms ?? '', right: true },
  { title: 'corrected_by', text: (row) => row.corrected_by.join(' ') },
];
