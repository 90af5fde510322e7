import type { ClickHouseClient } from '@clickhouse/client';
import { FATES } from '../../audit/checks.ts';
import { type MeshStatus, rawEvents } from '../../audit/mesh-status.ts';
import { getText } from '../reach-mesh.ts';

/** What became of all that was accepted. */
export interface Accounts extends Record<(typeof FATES)[number] | (typeof BESIDE)[number], number> {
  /** Records of the log: the sum of their fates. */
  accepted: number;
}

/** Columns of attribution_progress that are no fates, but tell of some what else is to be known. */
const BESIDE = ['invalid_clicks', 'waiting', 'exceeded', 'conflicts', 'touches_dropped', 'truncated'] as const;

const METRICS_TIMEOUT_MS = 10_000;

export async function readAccounts(client: ClickHouseClient, status: MeshStatus): Promise<Accounts> {
  const sums = [...FATES, ...BESIDE].map((column) => `toFloat64(sum(p.${column})) AS ${column}`);
  const query = `SELECT ${sums.join(', ')} FROM attribution_progress AS p FINAL`;
  const [row] = await (await client.query({ query, format: 'JSONEachRow' })).json<Omit<Accounts, 'accepted'>>();
  return { accepted: rawEvents(status).reduce((sum, { end }) => sum + end, 0), ...row! } as Accounts;
}

/**
 * How many names were ignored in events since the gateway at the address started, by event type. Throws an Error of one
 * line if it does not answer.
 */
export async function readNamesIgnored(url: string): Promise<Record<string, number>> {
  const metrics = await getText(url, '/metrics', METRICS_TIMEOUT_MS, 'text/plain');
  const samples = metrics.matchAll(/^clickmesh_events_names_ignored_total\{.*?event_type="(\w+)".*?\} (\S+)/gm);
  const names: Record<string, number> = {};
  for (const [, type, value] of samples) names[type!] = (names[type!] ?? 0) + Number(value);
  return names;
}

const IGNORED = 'in events that this gateway was sent since it started';

/** The equation, and what it does not show: a line each. */
export function describeAccounts(accounts: Accounts, namesIgnored: Readonly<Record<string, number>>): string {
  const became = Object.fromEntries(FATES.map((fate) => [fate.replaceAll('_', ' '), accounts[fate]]));
  const ignored = Object.values(namesIgnored).reduce((sum, count) => sum + count, 0);
  return [
    `accepted ${accounts.accepted} = ${sumText(became)}\n`,
    `invalid clicks ${accounts.invalid_clicks}: of the clicks, those that a verdict says are not valid\n`,
    `waiting ${accounts.waiting}: of the adjustments and verdicts, those whose conversion or click has not come\n`,
    `exceeded ${accounts.exceeded}: of the adjustments, refunds that took less than their value, as no more was left\n`,
    `conflicts ${accounts.conflicts}: duplicates that differ from what came first under their event_id\n`,
    `clicks forgotten ${accounts.touches_dropped}: beyond MAX_TOUCHES of their user, which only last_click and first_click look at\n`,
    `truncated ${accounts.truncated}: of the conversions, those of more clicks than MAX_TOUCHES, shared among the newest\n`,
    `names ignored ${ignored === 0 ? 0 : `${ignored} = ${sumText(namesIgnored)}`}: ${IGNORED}\n`,
  ].join('');
}

function sumText(numbers: Readonly<Record<string, number>>): string {
  return Object.entries(numbers)
    .map(([name, number]) => `${name} ${number}`)
    .join(' + ');
}
