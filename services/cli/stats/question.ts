import { Command, InvalidArgumentError, Option } from 'commander';
import { day, filled, urlOption } from '../options.ts';
import { getText } from '../reach-mesh.ts';

/** Longest that a report may take, in ms. */
export const CALL_TIMEOUT_MS = 60_000;
const DAY_MS = 86_400_000;
/** Days of a report that names none, today among them. */
const DAYS = 7;

/** What all commands that ask about days and dimensions take. */
export interface Question {
  url: string;
  /** First and last day, YYYY-MM-DD; undefined if not named. */
  startDate?: string;
  endDate?: string;
  /** A name of IANA's; undefined for the mesh's own. */
  timeZone?: string;
  campaignId?: string[];
  adId?: string[];
  source?: string[];
  conversionType?: string[];
  /** KEY=VALUE of metadata. */
  metadata?: string[];
  /** DIMENSION=VALUE of what to leave out. */
  exclude?: string[];
  limit?: string;
}

/** A command that asks so. */
export function asking(name: string): Command {
  return new Command(name)
    .addOption(urlOption())
    .option('--start, --start-date <day>', 'first day, YYYY-MM-DD (default: 7 days with the last)', day)
    .option('--end, --end-date <day>', 'last day, inclusive (default: today)', day)
    .option('--time-zone <zone>', "whose days they are, such as Asia/Kolkata (default: the mesh's)", filled)
    .option('--campaign-id <id>', 'only this campaign; may be repeated, (none) is what has none', several)
    .option('--ad-id <id>', 'only this ad; may be repeated', several)
    .option('--source <source>', 'only this source; may be repeated', several)
    .option('--conversion-type <type>', 'only conversions of this type; may be repeated', several)
    .option('--metadata <key=value>', 'only clicks that have this, and their conversions; may be repeated', pair)
    .addOption(new Option('--exclude <dimension=value>', 'all but this; may be repeated').argParser(pair))
    .option('--limit <n>', 'most rows', filled);
}

function several(text: string, before: string[] = []): string[] {
  return [...before, filled(text)];
}

/** A parser of NAME=VALUE, any number of them. */
export function pair(text: string, before: string[] = []): string[] {
  if (!/^[^=]+=./s.test(text)) throw new InvalidArgumentError('Not NAME=VALUE.');
  return [...before, text];
}

/** The parameters of REST for what was asked, with those of the command beside it: what is undefined is left out. */
export async function parametersOf(
  question: Question,
  others: Record<string, string | undefined>,
): Promise<URLSearchParams> {
  const { campaignId = [], adId = [], source = [], conversionType = [], metadata = [], exclude = [] } = question;
  const { startDate, endDate } = await daysOf(question);
  const parameters = new URLSearchParams({ start_date: startDate, end_date: endDate });
  const named = { time_zone: question.timeZone, limit: question.limit, ...others };
  for (const [name, value] of Object.entries(named)) if (value !== undefined) parameters.set(name, value);
  const filters = { campaign_id: campaignId, ad_id: adId, source, conversion_type: conversionType };
  for (const [name, values] of Object.entries(filters)) for (const value of values) parameters.append(name, value);
  for (const [key, value] of metadata.map(parts)) parameters.append(`metadata.${key}`, value);
  for (const [name, value] of exclude.map(parts)) parameters.append(`${name}!`, value);
  return parameters;
}

function parts(text: string): [name: string, value: string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}

/** The days asked for; those that are not named by the last one, and that is today where the days are counted. */
async function daysOf({
  url,
  startDate,
  endDate,
  timeZone,
}: Question): Promise<{ startDate: string; endDate: string }> {
  const last = endDate ?? today(timeZone ?? (await zoneOf(url)));
  return { startDate: startDate ?? dayBefore(last, DAYS - 1), endDate: last };
}

/** The zone whose days a mesh counts by: as it stamps any report. */
export async function zoneOf(url: string): Promise<string> {
  const utc = today('UTC');
  const text = await getText(
    url,
    `/api/v1/report?start_date=${utc}&end_date=${utc}&interval=none&limit=1`,
    CALL_TIMEOUT_MS,
  );
  return (JSON.parse(text) as { stamp: { time_zone: string } }).stamp.time_zone;
}

function today(timeZone: string): string {
  try {
    return new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' }).format(Date.now());
  } catch {
    throw new Error(`--time-zone is no name of IANA's database, such as Asia/Kolkata: ${timeZone}`);
  }
}

function dayBefore(date: string, days: number): string {
  return new Date(Date.parse(date) - days * DAY_MS).toISOString().slice(0, 10);
}
