import { type Command, Option } from 'commander';
import { filled } from '../options.ts';
import { lines, print } from '../print.ts';
import { getAnswer, getText } from '../reach-mesh.ts';
import { addForms, exactly, type Forms } from './forms.ts';
import { asking, CALL_TIMEOUT_MS, parametersOf, type Question } from './question.ts';
import { type ReportAnswer, reportTable, stampText } from './report-table.ts';

export interface ReportQuestion extends Question {
  groupBy?: string;
  interval?: string;
  models?: string;
  timeBasis?: string;
  orderBy?: string;
  top?: string;
  compare?: string;
  pageToken?: string;
  gross?: boolean;
}

/** What commands that ask for a report take beside all others. */
export function addReportOptions(command: Command): Command {
  return command
    .option(
      '--by, --group-by <dimensions>',
      'campaign_id, ad_id, source, conversion_type, metadata.KEY, model; with commas',
      filled,
    )
    .addOption(
      new Option('--interval <interval>', 'what rows are by in time (default: day, with --top none)').choices([
        ...['hour', 'day', 'week', 'month', 'none'],
      ]),
    )
    .option('--models <models>', "side by side, with commas (default: the first of the mesh's MODELS)", filled)
    .addOption(
      new Option('--time-basis <basis>', 'the day that a conversion counts on').choices(['conversion', 'click']),
    )
    .option('--order-by <measure>', 'such as -revenue: from the greatest', filled)
    .addOption(
      new Option('--top <n>', 'the n with the most conversions, or by --order-by').argParser(filled).conflicts('limit'),
    )
    .addOption(
      new Option('--compare <with>', 'how much more than before').choices(['previous_period', 'previous_year']),
    )
    .option('--gross', 'also invalid clicks, gross sums and refunds, which CSV and JSON always have');
}

/** `clickmesh stats`: what RunReport answers. */
export const statsCommand = addForms(addReportOptions(asking('stats')))
  .description('Show clicks, conversions, revenue and conversion rate by period and any dimension, with totals.')
  .option('--page-token <token>', 'the page after one of --json', filled)
  .addHelpText(
    'after',
    `
Days are those of REPORT_TIME_ZONE of the mesh, UTC by default, and weeks begin on Monday. A conversion counts on its own
day, under what the click is of that is credited with it. cvr is conversions by clicks of the same row, and "–" without
clicks. A day may still change: by late clicks until lookback window and ALLOWED_LATENESS_HOURS have passed (48 hours by
default), by adjustments and verdicts for ADJUSTMENT_DAYS (90). Filters compare texts as they were sent: nothing is
decoded, trimmed or case-folded.

Examples:
  clickmesh stats --by campaign_id --top 10 --compare previous_period
  clickmesh stats --start-date 2025-12-01 --end-date 2025-12-31 --interval week --models last_click,linear
  clickmesh stats --by ad_id --source facebook --metadata geo=US --csv > ads.csv`,
  )
  .action(async (question: ReportQuestion & Forms) => {
    const parameters = await reportParameters(question);
    if (question.csv || question.ndjson) return printRows(question, parameters);
    const json = await getText(question.url, `/api/v1/report?${parameters}`, CALL_TIMEOUT_MS);
    if (question.json) return print(json);
    const answer = exactly<ReportAnswer>(json);
    print(reportTable(answer, shownOf(question)));
    process.stderr.write(lines(stampText(answer)));
  });

export function shownOf({ groupBy, gross, compare }: ReportQuestion) {
  return { groupBy: groupBy?.split(',') ?? [], gross, compare: compare !== undefined };
}

export async function reportParameters(question: ReportQuestion): Promise<URLSearchParams> {
  const { top, groupBy, models, timeBasis, compare, pageToken } = question;
  return parametersOf(question, {
    ...{ group_by: groupBy, models, time_basis: timeBasis, compare, page_token: pageToken },
    interval: question.interval ?? (top === undefined ? undefined : 'none'),
    order_by: question.orderBy ?? (top === undefined ? undefined : '-conversions'),
    ...(top === undefined ? {} : { limit: top }),
  });
}

/** Most rows that the mesh answers at once. */
const PAGE_ROWS = '10000';

/** Prints CSV or NDJSON: the page that was asked for, or all of them. */
async function printRows(question: ReportQuestion & Forms, parameters: URLSearchParams): Promise<void> {
  const format = question.csv ? 'csv' : 'ndjson';
  parameters.set('format', format);
  if (question.csv && question.raw) parameters.set('raw', 'true');
  if (question.csv && question.bom) parameters.set('bom', 'true');
  const isOnePage = parameters.has('limit') || parameters.has('page_token');
  if (!isOnePage) parameters.set('limit', PAGE_ROWS);
  for (let isFirst = true; ; isFirst = false) {
    const type = question.csv ? 'text/csv' : 'application/x-ndjson';
    const { text, header } = await getAnswer(question.url, `/api/v1/report?${parameters}`, CALL_TIMEOUT_MS, type);
    // Every page of CSV begins with the names of the columns, which have no line breaks.
    print(isFirst || format !== 'csv' ? text : text.slice(text.indexOf('\n') + 1));
    const next = header.get('clickmesh-next-page-token');
    if (next === null || isOnePage) return;
    parameters.set('page_token', next);
  }
}
