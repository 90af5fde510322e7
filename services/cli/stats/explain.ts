import { Command } from 'commander';
import { filled, urlOption } from '../options.ts';
import { oneLine, print } from '../print.ts';
import { getText } from '../reach-mesh.ts';
import { type Column, renderTable } from '../table.ts';
import { exactly, money, spanText, timeText, withSigns } from './forms.ts';
import { CALL_TIMEOUT_MS } from './question.ts';

interface Touch {
  click_id: string;
  campaign_id: string;
  ad_id: string;
  source: string;
  click_time: string;
}

interface Candidate extends Touch {
  /** By the models of the decision, in their order. */
  credits: string[];
  reasons: string[];
}

/** A click that was no candidate. */
interface Missed extends Touch {
  text: string;
}

interface Correction {
  event_type: string;
  kind: string;
  timestamp: string;
  reason: string;
  effect: string;
  text: string;
}

/** What GET /api/v1/explain answers, with numbers by their text. */
export interface Explanation {
  decision: {
    conversion_id: string;
    user_id: string;
    conversion_type: string;
    conversion_time: string;
    value: string;
    retracted: boolean;
    models: string[];
    candidates: Candidate[];
    candidates_left_out: string;
    corrections_left_out: string;
  };
  near_misses: Missed[];
  corrections: Correction[];
  late_clicks: { click_id: string; text: string }[];
  trace_id: string;
  net_value: string;
  summary: string;
}

/** `clickmesh explain`: what ExplainConversion answers. */
export const explainCommand = new Command('explain')
  .description('Say why a conversion is credited as it is, and what changed it.')
  .argument('<id>', 'event_id of the conversion, as it was sent', filled)
  .addOption(urlOption())
  .option('--user-id <id>', 'needed only where two users sent a conversion under one id', filled)
  .option('--model <model>', 'only under this model', filled)
  .option('--json', 'as GET /api/v1/explain answers')
  .addHelpText(
    'after',
    `
Candidates are the clicks of the user at the instant of the conversion or up to the lookback window before it; of clicks
in one millisecond that with the greater event_id is the later. last_click credits the last, first_click the first, linear
all alike; time_decay half as much for every quarter of the lookback window before the conversion (a half-life of 6 hours
in 24); position_based 40 % to the first, 40 % to the last, 20 % to those between (40/20/40), of two half to each.

Example:
  clickmesh explain order-1001 --model linear`,
  )
  .action(async (id: string, options: { url: string; userId?: string; model?: string; json?: boolean }) => {
    const { url, userId, model, json } = options;
    const parameters = new URLSearchParams({ conversion_id: id });
    if (userId !== undefined) parameters.set('user_id', userId);
    if (model !== undefined) parameters.set('model', model);
    const text = await getText(url, `/api/v1/explain?${parameters}`, CALL_TIMEOUT_MS);
    print(json ? `${text}\n` : explanationText(exactly(text)));
  });

/** Lines for people: the answer first, then the clicks by their credit, those that missed, and what changed it. */
export function explanationText({ decision, near_misses: missed, corrections, ...rest }: Explanation): string {
  const { conversion_id: id, conversion_type: type, user_id: user, candidates, value } = decision;
  const worth = rest.net_value === value ? money(value) : `${money(rest.net_value)} of ${money(value)}`;
  const parts = [
    `${oneLine(rest.summary)}\n`,
    oneLine(`${type} of ${worth} by ${user} at ${timeText(decision.conversion_time)}, ${id}`),
    decision.retracted ? ', retracted\n' : '\n',
  ];
  if (candidates.length > 0) parts.push('\n', renderTable(withSigns(candidateColumns(decision)), candidates));
  parts.push(leftOut(decision.candidates_left_out, 'clicks in the window'));
  if (missed.length > 0) parts.push('\n', renderTable(withSigns(missedColumns(decision.conversion_time)), missed));
  if (corrections.length > 0) parts.push('\n', renderTable(withSigns(CORRECTION_COLUMNS), corrections));
  parts.push(leftOut(decision.corrections_left_out, 'adjustments'));
  for (const { click_id: click, text } of rest.late_clicks) parts.push(oneLine(`late click ${click} ${text}`), '\n');
  if (rest.trace_id !== '') parts.push(`trace ${oneLine(rest.trace_id)}\n`);
  return parts.join('');
}

function textOf({ text }: { text: string }): string {
  return text;
}

function leftOut(count: string, what: string): string {
  return count === '0' ? '' : `${count} more ${what}\n`;
}

function touchColumns(conversionTime: string): Column<Touch>[] {
  const gap = (time: string) => Number(conversionTime) - Number(time);
  const before = (ms: number) => `${spanText(String(Math.abs(ms)))} ${ms < 0 ? 'after' : 'before'}`;
  return [
    { title: 'click', text: ({ click_time: time }) => timeText(time) },
    { title: 'conversion', text: ({ click_time: time }) => before(gap(time)), right: true },
    { title: 'campaign_id', text: (row) => row.campaign_id },
    { title: 'ad_id', text: (row) => row.ad_id },
    { title: 'source', text: (row) => row.source },
  ];
}

function missedColumns(conversionTime: string): Column<Missed>[] {
  return [...touchColumns(conversionTime), { title: 'no candidate because', text: textOf }];
}

/** Of each model the credit, or why there is none. */
function candidateColumns({ models, conversion_time: time }: Explanation['decision']): Column<Candidate>[] {
  const credit = (row: Candidate, i: number) =>
    row.reasons[i] === 'credited' ? row.credits[i]! : (row.reasons[i] ?? '').replaceAll('_', ' ');
  return [
    ...touchColumns(time),
    ...models.map((title, i) => ({ title, text: (row: Candidate) => credit(row, i), right: true })),
    { title: 'click_id', text: (row) => row.click_id },
  ];
}

const CORRECTION_COLUMNS: Column<Correction>[] = [
  { title: 'changed', text: ({ timestamp }) => timeText(timestamp) },
  { title: 'by', text: ({ event_type: type, kind }) => `${type} ${kind}` },
  { title: 'reason', text: ({ reason }) => reason },
  { title: 'effect', text: ({ effect }) => effect.replaceAll('_', ' ') },
  { title: 'which means', text: textOf },
];
