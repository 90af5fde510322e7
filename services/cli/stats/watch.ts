import { setTimeout as sleep } from 'node:timers/promises';
import { NO_VALUE } from '../../contract/shown.ts';
import { draw, lines, oneLine, print } from '../print.ts';
import { getEvents } from '../reach-mesh.ts';
import { exactly, spanText, timeText } from './forms.ts';
import { asking, zoneOf } from './question.ts';
import { type ReportAnswer, type ReportRow, reportTable } from './report-table.ts';
import { addReportOptions, type ReportQuestion, reportParameters, shownOf } from './stats.ts';

/** Between a stream that broke off and the next try, in ms. */
const AGAIN_MS = 1000;
/** Longest part of an event that is put together, in characters. */
const MAX_EVENT = 64 * 1024 * 1024;

/** `clickmesh watch`: what WatchReport sends. */
export const watchCommand = addReportOptions(asking('watch'))
  .description('Show a report live: a table that is drawn anew on a terminal, else a line for each row that changed.')
  .addHelpText(
    'after',
    `
Without --interval a row is of all days asked for. Ctrl-C ends it.

Examples:
  clickmesh watch --by campaign_id --top 20
  clickmesh watch --by ad_id --source facebook | grep ad-7`,
  )
  .action(async (question: ReportQuestion) => {
    const stop = new AbortController();
    process.once('SIGINT', () => stop.abort());
    const show = process.stdout.isTTY ? drawer(question) : teller();
    try {
      for await (const event of watched(question, stop.signal)) show(event);
    } catch (error) {
      if (!stop.signal.aborted) throw error;
      // So that the prompt does not begin on the last line of the table.
      if (process.stdout.isTTY) draw('\r\n');
    }
  });

/** What a stream sends: a report where it changed, else how far it goes. */
type Watched = { report: ReportAnswer } | { complete_through: string; lag_ms: string };

/**
 * What is sent, over streams that break off; throws if there is none to begin with. Days that are not named go on with
 * the day, where they are counted: another stream is asked for then.
 */
export async function* watched(question: ReportQuestion, signal: AbortSignal): AsyncGenerator<Watched> {
  const { url } = question;
  const { timeZone = question.endDate === undefined ? await zoneOf(url) : undefined } = question;
  const pathNow = async () =>
    `/api/v1/report/watch?${await reportParameters({ interval: 'none', ...question, timeZone })}`;
  const header = new Headers();
  for (let hasBegun = false; ; ) {
    const path = await pathNow();
    const leaving = new AbortController();
    const either = AbortSignal.any([signal, leaving.signal]);
    try {
      for await (const { type, id, data } of eventsOf(getEvents(url, path, header, either))) {
        hasBegun = true;
        if ((await pathNow()) !== path) {
          header.delete('last-event-id');
          leaving.abort();
          continue;
        }
        if (id !== undefined) header.set('last-event-id', id);
        yield type === 'report' ? { report: exactly(data) } : exactly(data);
      }
    } catch (error) {
      if (!hasBegun || signal.aborted) throw error;
      if (!leaving.signal.aborted)
        process.stderr.write(lines(`clickmesh: ${(error as Error).message}: trying again\n`));
    }
    await sleep(AGAIN_MS, undefined, { signal });
  }
}

interface ServerSent {
  type: string;
  id?: string;
  data: string;
}

/** Server-sent events of pieces of a stream, as this mesh writes them: each field once, lines ended by LF. */
export async function* eventsOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSent> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of pieces) {
    text += decoder.decode(piece, { stream: true });
    if (text.length > MAX_EVENT) throw new Error(`an event of the mesh has more than ${MAX_EVENT} characters`);
    const events = text.split('\n\n');
    text = events.pop()!;
    for (const event of events) {
      const fields = new Map(event.split('\n').map((line) => line.split(/: ?(.*)/s, 2) as [string, string]));
      const data = fields.get('data');
      if (data !== undefined) yield { type: fields.get('event') ?? 'message', id: fields.get('id'), data };
    }
  }
}

/** Draws each report over the one before. */
function drawer(question: ReportQuestion): (event: Watched) => void {
  let table = '';
  return (event) => {
    if ('report' in event) table = reportTable(event.report, shownOf(question));
    const { complete_through: through, lag_ms: lag } = 'report' in event ? event.report.stamp : event;
    const { rows = 24 } = process.stdout;
    const fresh = through === '0' ? '' : `complete through ${timeText(through)}, lag ${spanText(lag)}`;
    draw(screenText(table, fresh, rows));
  };
}

/** No wrapping of lines, from the upper left corner. */
const BEGIN = '\x1b[?7l\x1b[H';
/** The rest of the line is blank; the rest of the screen is, and lines are wrapped as ever. */
const CLEAR_LINE = '\x1b[K';
const END = '\x1b[J\x1b[?7h';

/** A screen with as many lines of the table as it has, totals first among those that stay, and a last line. */
export function screenText(table: string, last: string, rows: number): string {
  const [head = '', ...body] = table.trimEnd().split('\n');
  const room = Math.max(rows - 3, 1);
  const foot = body.findLastIndex((line) => line.startsWith('total'));
  const all = [head, ...(body.length <= room ? body : shortened(body, foot, room))];
  return `${BEGIN}${[...all, last].map((line) => line + CLEAR_LINE).join('\r\n')}${END}`;
}

function shortened(body: readonly string[], foot: number, room: number): string[] {
  const end = foot < 0 ? [] : body.slice(foot);
  const rows = Math.max(room - end.length - 1, 0);
  const left = (foot < 0 ? body.length : foot) - rows;
  return [...body.slice(0, rows), `… ${left} more rows than the screen has lines`, ...end];
}

/** Prints a line for each row that is another than before. */
function teller(): (event: Watched) => void {
  let told = new Map<string, string>();
  return (event) => {
    if (!('report' in event)) return;
    const { rows, totals, unattributed, stamp } = event.report;
    const time = timeText(stamp.complete_through);
    const next = new Map<string, string>();
    for (const [name, row] of [
      ...rows.map((row) => ['', row] as const),
      ['total', totals] as const,
      ['unattributed', unattributed] as const,
    ]) {
      const { key, text } = rowText(row);
      next.set(`${name} ${key}`, text);
      if (told.get(`${name} ${key}`) !== text)
        print(`${oneLine([time, name, key, text].filter(Boolean).join('  '))}\n`);
    }
    told = next;
  };
}

const MEASURES = ['clicks', 'conversions', 'revenue'];
const OTHERS = new Set([
  'cvr',
  'invalid_clicks',
  'gross_conversions',
  'gross_revenue',
  'refunds',
  'partial',
  'previous',
]);

/** What a row is by, and its measures, each with its name. */
export function rowText(row: ReportRow): { key: string; text: string } {
  const key: string[] = [];
  const measures: string[] = [];
  for (const [name, value] of Object.entries(row)) {
    if (name === 'models') {
      for (const [model, of] of Object.entries(row.models!)) {
        measures.push(...MEASURES.filter((each) => each in of).map((each) => `${each}.${model} ${of[each]}`));
      }
    } else if (MEASURES.includes(name)) measures.push(`${name} ${value}`);
    else if (!OTHERS.has(name)) key.push(String(value) || NO_VALUE);
  }
  return { key: key.join('  '), text: measures.join('  ') };
}
