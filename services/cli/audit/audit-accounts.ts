import type { ClickHouseClient } from '@clickhouse/client';
import { type MeshStatus, rawEvents } from '../ask-mesh.ts';
import { getText } from '../reach-mesh.ts';

/** What became of all that was accepted. */
export interface Accounts {
  /** Records of the log: the sum of what they became, from clicks to dead_letters. */
  accepted: number;
  clicks: number;
  attributed: number;
  unattributed: number;
  duplicates: number;
  dead_letters: number;
  /** Duplicates that differ from what came first under their event_id. */
  conflicts: number;
  /** Clicks beyond MAX_TOUCHES of their user. */
  clicks_forgotten: number;
}

const METRICS_TIMEOUT_MS = 10_000;

export async function readAccounts(client: ClickHouseClient, status: MeshStatus): Promise<Accounts> {
  const query = `
    SELECT toFloat64(sum(clicks)) AS clicks, toFloat64(sum(attributed)) AS attributed,
      toFloat64(sum(unattributed)) AS unattributed, toFloat64(sum(dead_lettered)) AS dead_letters,
      toFloat64(sum(click_duplicates + conversion_duplicates)) AS duplicates,
      toFloat64(sum(conflicts)) AS conflicts, toFloat64(sum(touches_dropped)) AS clicks_forgotten
    FROM (SELECT * FROM attribution_progress FINAL)`;
  const [row] = await (await client.query({ query, format: 'JSONEachRow' })).json<Omit<Accounts, 'accepted'>>();
  return { accepted: rawEvents(status).reduce((sum, { end }) => sum + end, 0), ...row! };
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

const IGNORED = 'in events that this gateway was sent since it started; replay tells of its own';

/** The equation, and what it does not show: a line each. */
export function describeAccounts(accounts: Accounts, namesIgnored: Readonly<Record<string, number>>): string {
  const { accepted, clicks, attributed, unattributed, duplicates, dead_letters: dead, conflicts } = accounts;
  const became = { clicks, attributed, unattributed, duplicates, 'dead letters': dead };
  const ignored = Object.values(namesIgnored).reduce((sum, count) => sum + count, 0);
  return [
    `accepted ${accepted} = ${sumText(became)}\n`,
    `conflicts ${conflicts}: duplicates that differ from what came first under their event_id\n`,
    `clicks forgotten ${accounts.clicks_forgotten}: beyond MAX_TOUCHES of their user, no candidates any more\n`,
    `names ignored ${ignored === 0 ? 0 : `${ignored} = ${sumText(namesIgnored)}`}: ${IGNORED}\n`,
  ].join('');
}

function sumText(numbers: Readonly<Record<string, number>>): string {
  return Object.entries(numbers)
    .map(([name, number]) => `${name} ${number}`)
    .join(' + ');
}
