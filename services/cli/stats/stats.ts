import { createClient } from '@connectrpc/connect';
import { Command, Option } from 'commander';
import { type GetStatsResponse, Interval, StatsService } from '../../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { day, filled, urlOption } from '../options.ts';
import { getText, meshTransport } from '../reach-mesh.ts';
import { sinceNote, statsCsv, statsTable } from './stats-format.ts';

export interface StatsOptions {
  url: string;
  /** First and last day, YYYY-MM-DD. */
  start: string;
  end: string;
  campaign?: string;
  source?: string;
  type?: string;
  model?: string;
  interval: 'daily' | 'weekly' | 'monthly' | 'hourly';
  /** What rows are by instead of campaign and source. */
  by?: string[];
  gross?: boolean;
  unattributed?: boolean;
}

const CALL_TIMEOUT_MS = 60_000;

/** `clickmesh stats`: what GetStats answers. */
export const statsCommand = new Command('stats')
  .description('Show clicks, conversions, revenue and conversion rate by period, campaign and source.')
  .addOption(urlOption())
  .requiredOption('--start <day>', 'first day, YYYY-MM-DD (UTC)', day)
  .requiredOption('--end <day>', 'last day, inclusive', day)
  .option('--campaign <id>', 'only this campaign', filled)
  .option('--source <source>', 'only this source', filled)
  .option('--type <type>', 'only conversions of this type', filled)
  .option('--model <model>', "attribution model (default: the first of the mesh's MODELS)", filled)
  .addOption(new Option('--interval <interval>').choices(['daily', 'weekly', 'monthly', 'hourly']).default('daily'))
  .option('--by <dimensions>', 'ad_id, campaign_id, source, conversion_type, separated by commas', list)
  .option('--gross', 'also invalid clicks, gross sums and refunds')
  .option('--unattributed', 'also conversions without credit, as rows without a campaign')
  .option('--json', 'as GET /api/v1/stats answers')
  .addOption(new Option('--csv', 'with a header line').conflicts('json'))
  .addHelpText('after', '\nExample:\n  clickmesh stats --start 2025-12-01 --end 2025-12-31 --interval weekly --csv')
  .action(async (options: StatsOptions & { json?: boolean; csv?: boolean }) => {
    if (options.json) process.stdout.write(`${await getStatsJson(options)}\n`);
    else {
      const response = await getStats(options);
      process.stdout.write((options.csv ? statsCsv : statsTable)(response, options.by));
      process.stderr.write(sinceNote(response.since));
    }
  });

const INTERVALS = {
  ...{ daily: Interval.DAILY, weekly: Interval.WEEKLY },
  ...{ monthly: Interval.MONTHLY, hourly: Interval.HOURLY },
};

function list(text: string): string[] {
  return filled(text).split(',');
}

/** Throws a ConnectError. */
export async function getStats(options: StatsOptions): Promise<GetStatsResponse> {
  const request = {
    startDate: options.start,
    endDate: options.end,
    campaignId: options.campaign,
    source: options.source,
    conversionType: options.type,
    model: options.model,
    by: options.by,
    gross: options.gross,
    unattributed: options.unattributed,
    interval: INTERVALS[options.interval],
  };
  return createClient(StatsService, meshTransport(options.url)).getStats(request, { timeoutMs: CALL_TIMEOUT_MS });
}

/** Returns what GET /api/v1/stats answers. Throws an Error of one line. */
export function getStatsJson(options: StatsOptions): Promise<string> {
  const { url, start, end, campaign, source, type, model, interval, by, gross, unattributed } = options;
  const filters = { campaign_id: campaign, source, conversion_type: type, model, by: by?.join(',') };
  const flags = { gross: gross ? 'true' : undefined, unattributed: unattributed ? 'true' : undefined };
  const parameters = new URLSearchParams({ start_date: start, end_date: end, interval });
  for (const [name, value] of Object.entries({ ...filters, ...flags }))
    if (value !== undefined) parameters.set(name, value);
  return getText(url, `/api/v1/stats?${parameters}`, CALL_TIMEOUT_MS);
}
