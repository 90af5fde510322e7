import { Command } from 'commander';
import type { CheckResult, Difference } from '../../audit/query.ts';
import { allChecks, type CaughtUp } from '../../audit/run-checks.ts';
import { statusCaughtUp } from '../ask-mesh.ts';
import { withClickHouse } from '../clickhouse.ts';
import { integer, urlOption } from '../options.ts';
import { print } from '../print.ts';
import { type Column, renderTable } from '../table.ts';
import { describeAccounts, readAccounts, readNamesIgnored } from './audit-accounts.ts';

export interface AuditOptions {
  url: string;
  /** How long attribution and ClickHouse may take to catch up, in seconds. */
  timeout: number;
  /** Memory that ClickHouse may take for a query, in bytes: half of what the embedded server has if undefined. */
  queryBytes?: number;
}

const COULD_NOT_RUN = 2;

/** `clickmesh audit`: proves that what was accepted is what is counted. */
export const auditCommand = new Command('audit')
  .description('Recount everything from the raw events and compare it with the stats and the counters.')
  .addOption(urlOption())
  .option('--timeout <s>', 'how long to wait until all that was accepted is in ClickHouse', integer(0), 60)
  .option('--json', 'as JSON, on one line')
  .addHelpText(
    'after',
    `
Works on a running mesh while nothing is being sent. Attribution forgets by age of arrival, decisions are not made again
when models or lookback windows change, and a rollup that is declared later begins then; the recount knows none of it.
What differs for such a limit is told as LIMIT, with the limit, and fails nothing; what differs for none is FAILED.

What became of all that was accepted is shown first, and how many names in events were ignored since the gateway at the
address started. A name that is not understood may be a value or a campaign that is not counted.

Exit codes: 0 all checks hold, 1 they do not, 2 the audit could not be run.

Example:
  clickmesh audit --json | jq '.checks[] | select(.differing > 0)'`,
  )
  .exitOverride((error) => process.exit(error.exitCode && COULD_NOT_RUN))
  .action(async (options: AuditOptions & { json?: boolean }) => {
    process.exitCode = COULD_NOT_RUN;
    const report = await withMesh(options, async (mesh) => ({
      accounts: await readAccounts(mesh.client, mesh.status),
      names_ignored: await readNamesIgnored(options.url),
      checks: await allChecks(mesh),
    }));
    const { accounts, names_ignored: names, checks } = report;
    const clean = checks.every(({ differing }) => differing === 0);
    print(
      options.json
        ? `${JSON.stringify({ clean, ...report })}\n`
        : describeAccounts(accounts, names) + checks.map(describe).join(''),
    );
    process.exitCode = clean ? 0 : 1;
  });

/** Waits until the mesh has caught up and runs every check. Throws if it can't. */
export function audit(options: AuditOptions): Promise<CheckResult[]> {
  return withMesh(options, allChecks);
}

async function withMesh<T>(
  { url, timeout, queryBytes }: AuditOptions,
  use: (mesh: CaughtUp) => Promise<T>,
): Promise<T> {
  const status = await statusCaughtUp(url, timeout * 1000);
  return withClickHouse(status.clickhouse_url, (client) => use({ status, client, queryBytes }));
}

/** `ok      every record became exactly one thing (8 compared)`, what is beyond a limit, and the rows that differ. */
function describe({ name, compared, differing, limited, rows }: CheckResult): string {
  const limits = Object.entries(limited).map(([limit, keys]) => `LIMIT   ${keys} of ${compared} differ: ${limit}\n`);
  if (differing === 0) return `ok      ${name} (${compared} compared)\n${limits.join('')}`;
  const more = differing > rows.length ? `  ... and ${differing - rows.length} more\n` : '';
  const table = renderTable(differenceColumns(rows[0]!), rows);
  return `FAILED  ${name} (${differing} of ${compared} differ)\n${limits.join('')}${table}${more}`;
}

function differenceColumns(first: Difference): Column<Difference>[] {
  return [
    ...Object.keys(first.key).map((name) => ({ title: name, text: ({ key }: Difference) => key[name]! })),
    { title: 'expected', text: ({ expected }) => rowsText(expected) },
    { title: 'stored', text: ({ stored }) => rowsText(stored) },
  ];
}

function rowsText(rows: Record<string, string>[]): string {
  const texts = rows.map((row) =>
    Object.entries(row)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
  );
  return texts.join(' + ') || '-';
}
