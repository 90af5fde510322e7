import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client';
import type { Check, CheckParameters } from './audit-checks.ts';
import { withLimits } from './audit-limits.ts';

export interface CheckResult {
  name: string;
  /** Keys that either side has. */
  compared: number;
  /** Compared keys for which the sides disagree, though no known limit says why. */
  differing: number;
  /** By known limit, keys for which the sides disagree as they are beyond it. */
  limited: Record<string, number>;
  /** The first that differ for no known limit, at most MAX_ROWS. */
  rows: Difference[];
}

export interface Difference {
  /** By key column. */
  key: Record<string, string>;
  /** The rows that each side has for the key, by value column: one, unless it has none or several. */
  expected: Record<string, string>[];
  stored: Record<string, string>[];
}

const MAX_ROWS = 20;
/** Bytes of memory before sorting and grouping go on on disk. */
const SPILL_BYTES = String(512 << 20);

const SETTINGS: ClickHouseSettings = {
  max_bytes_before_external_sort: SPILL_BYTES,
  max_bytes_before_external_group_by: SPILL_BYTES,
  // Tables are sorted by user: groups of one user can be finished before the next. Halves a recount's time (2026-11).
  optimize_aggregation_in_order: 1,
  // Sorts both sides, on disk if need be, instead of holding one in memory; and it knows ASOF.
  join_algorithm: 'full_sorting_merge',
  join_use_nulls: 0,
  output_format_json_quote_64bit_integers: 1,
};

/** Runs a check inside ClickHouse: only what differs is read from it, and not more than can be looked at. */
export async function runCheck(
  client: ClickHouseClient,
  check: Check,
  parameters: CheckParameters,
): Promise<CheckResult> {
  const select = async <Row>(query: string) => {
    const result = await client.query({
      ...{ query, query_params: { ...parameters }, clickhouse_settings: SETTINGS, format: 'JSONEachRow' },
    });
    return (await result.json()) as Row[];
  };
  const [counts] = await select<Record<'compared' | 'differing', string>>(
    `SELECT count() AS compared, countIf(expected != stored) AS differing FROM (${sidesOf(check)})`,
  );
  const [compared, differing] = [Number(counts!.compared), Number(counts!.differing)];
  if (differing === 0) return { name: check.name, compared, differing, limited: {}, rows: [] };
  const found = await select<{ limit: string; count: string; rows: DifferenceTuple[] }>(`
    SELECT limit, count() AS count, groupArray(${MAX_ROWS})((${texts(check.keys)}, expected, stored)) AS rows
    FROM (${withLimits(check, differencesOf(check))})
    GROUP BY limit
    ORDER BY limit`);
  const beyond = found.filter(({ limit }) => limit !== '');
  const unexplained = found.find(({ limit }) => limit === '');
  return {
    name: check.name,
    compared,
    differing: Number(unexplained?.count ?? 0),
    limited: Object.fromEntries(beyond.map(({ limit, count }) => [limit, Number(count)])),
    rows: unexplained?.rows.map(([key, expected, stored]) => ({ key, expected, stored })) ?? [],
  };
}

/** SELECTs each key with the rows that either side has for it. */
function sidesOf({ keys, values, expected, stored }: Check): string {
  const key = keys.join(', ');
  return `
    SELECT ${key}, groupArrayIf(row, NOT is_stored) AS expected, groupArrayIf(row, is_stored) AS stored
    FROM (
      SELECT ${key}, ${texts(values)} AS row, false AS is_stored FROM (${expected})
      UNION ALL
      SELECT ${key}, ${texts(values)} AS row, true AS is_stored FROM (${stored})
    )
    GROUP BY ${key}`;
}

/** SELECTs the conversions that differ under a check of theirs as they are beyond a limit. */
export function limitedConversions(check: Check): string {
  return `SELECT DISTINCT user_id, conversion_id FROM (${withLimits(check, differencesOf(check))}) WHERE limit != ''`;
}

/** SELECTs the keys that differ. */
function differencesOf(check: Check): string {
  return `SELECT * FROM (${sidesOf(check)}) WHERE expected != stored`;
}

type DifferenceTuple = [Difference['key'], Difference['expected'], Difference['stored']];

/** Columns as one value, in JSON an object of texts. */
function texts(columns: readonly string[]): string {
  const values = columns.map((column) => `toString(${column})`).join(', ');
  return `CAST(tuple(${values}) AS Tuple(${columns.map((column) => `${column} String`).join(', ')}))`;
}
