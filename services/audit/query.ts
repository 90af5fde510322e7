import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClickHouseClient, ClickHouseError, type ClickHouseSettings } from '@clickhouse/client';
import type { Check, CheckParameters, SliceParameters } from './checks.ts';
import { withLimits } from './limits.ts';
import { ALL_TIME, cutSlice, type Slice, timesOfEvents, withMargin } from './slices.ts';

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
/** Memory that ClickHouse may take for a query of the audit, in bytes: half of what the embedded server has in all. */
const QUERY_BYTES = 1 << 30;
/** Share of it that a sorting takes before it goes on on disk. Several of them run in one query. */
const SORT_SHARE = 1 / 16;
/**
 * Share that all of a query takes before a grouping goes on on disk. Reading and joining take up to a third: below that
 * a grouping would write every block to a file of its own, and the buffers of all files take more than it does.
 */
const GROUP_SHARE = 1 / 2;
/** What needs more memory is asked in so many parts more. */
const FINER = 4;
/** Most parts of a check. Keys that do not fit into memory in so many are more than any table holds. */
const MOST_PARTS = FINER ** 6;
/** Most conversions beyond a limit that are told apart one by one: in a query that names them twice, 40 MB. */
const MOST_LIMITED = 1_000_000;
const MOST_QUERY_BYTES = 64 << 20;
/** What names a conversion in a query. */
const CONVERSION_KEY = 'cityHash64(user_id, toString(conversion_id))';
const MEMORY_LIMIT_EXCEEDED = '241';
/** Stands in the message if it is the limit of all that the server does, and not that of the query. */
const OF_ALL = '(total)';
/** Pauses before what others left no memory for is tried again, in ms: they double, and together take a minute. */
const FIRST_PAUSE_MS = 250;
const PAUSES = 8;

function settingsWithin(bytes: number): ClickHouseSettings {
  return {
    max_memory_usage: String(bytes),
    max_bytes_before_external_sort: String(Math.floor(bytes * SORT_SHARE)),
    max_bytes_before_external_group_by: String(Math.floor(bytes * GROUP_SHARE)),
    // Each has buffers and hash tables of its own: memory would grow with the cores, and with it what is spilled.
    max_threads: 1,
    // Tables are sorted by user: groups of one user can be finished before the next. Halves a recount's time (2026-11).
    optimize_aggregation_in_order: 1,
    // Sorts both sides, on disk if need be, instead of holding one in memory; and it knows ASOF.
    join_algorithm: 'full_sorting_merge',
    join_use_nulls: 0,
    max_query_size: String(MOST_QUERY_BYTES),
    // A sign of life, so that nobody between takes a long query for a dead one.
    send_progress_in_http_headers: 1,
    http_headers_progress_interval_ms: '10000',
    output_format_json_quote_64bit_integers: 1,
  };
}

/** The keys whose hash divided by `parts` leaves `part`, in a slice of time. */
interface Part {
  part: number;
  parts: number;
  slice: Slice;
}

/**
 * Runs a check inside ClickHouse: only what differs is read from it, and not more than can be looked at. Of all keys at
 * once if they fit into the memory, and else in as many parts as it takes.
 *
 * @param bytes memory that ClickHouse may take for a query
 */
export async function runCheck(
  client: ClickHouseClient,
  check: Check,
  parameters: CheckParameters,
  bytes: number = QUERY_BYTES,
): Promise<CheckResult> {
  const result: CheckResult = { name: check.name, compared: 0, differing: 0, limited: {}, rows: [] };
  const select = selectWithin(client, check, parameters, bytes);
  await inParts(client, check, async (part) => add(result, await runPart(check, part, select(part))));
  return result;
}

/**
 * A condition that holds of the conversions that differ under a check of theirs as they are beyond a limit; found in as
 * many parts as it takes, too. Throws if they are more than MOST_LIMITED.
 */
export async function limitedConversions(
  client: ClickHouseClient,
  check: Check,
  parameters: CheckParameters,
  bytes: number = QUERY_BYTES,
): Promise<string> {
  const select = selectWithin(client, check, parameters, bytes);
  const keys: string[] = [];
  await inParts(client, check, async (part) => {
    const found = await select(part)<{ key: string }>(`
      SELECT DISTINCT toString(${CONVERSION_KEY}) AS key
      FROM (${withLimits(check, differencesOf(check, part))})
      WHERE limit != ''
      LIMIT ${MOST_LIMITED + 1}`);
    for (const { key } of found) keys.push(key);
    if (keys.length > MOST_LIMITED) throw new Error(`more than ${MOST_LIMITED} conversions are beyond a limit`);
  });
  return `${CONVERSION_KEY} IN (SELECT toUInt64(arrayJoin(splitByChar(' ', '${keys.join(' ')}'))))`;
}

/** Returns what selects for a part. */
function selectWithin(
  client: ClickHouseClient,
  { inSlices }: Check,
  parameters: CheckParameters,
  bytes: number,
): (part: Part) => Select {
  return ({ slice }) => {
    const { from, to } = inSlices === 'of days' && slice !== ALL_TIME ? withMargin(slice) : slice;
    const ofSlice: SliceParameters = { slice_from: from, slice_to: to };
    return async <Row>(query: string) => {
      const result = await client.query({
        ...{ query, query_params: { ...parameters, ...ofSlice }, format: 'JSONEachRow' },
        clickhouse_settings: settingsWithin(bytes),
      });
      return (await result.json()) as Row[];
    };
  };
}

/**
 * Runs something of all keys at once or, where that needs more memory, of one part of them after the other. Merges and
 * the queries of others are waited for while they leave less memory than a query may take.
 */
async function inParts(
  client: ClickHouseClient,
  { inSlices }: Check,
  run: (part: Part) => Promise<void>,
): Promise<void> {
  let open: Part[] = [{ part: 0, parts: 1, slice: ALL_TIME }];
  let times: Slice | undefined;
  let pauses = 0;
  while (open.length > 0) {
    try {
      await run(open.at(-1)!);
      open.pop();
      pauses = 0;
    } catch (error) {
      if (!(error instanceof ClickHouseError) || error.code !== MEMORY_LIMIT_EXCEEDED) throw error;
      if (error.message.includes(OF_ALL) && pauses < PAUSES) {
        await sleep(FIRST_PAUSE_MS * 2 ** pauses++);
        continue;
      }
      if (open.at(-1)!.parts === MOST_PARTS) throw error;
      if (inSlices !== undefined) times ??= await timesOfEvents(client);
      // The others are as large.
      open = open.flatMap((part) => finer(part, times));
    }
  }
}

type Select = <Row>(query: string) => Promise<Row[]>;

async function runPart(check: Check, part: Part, select: Select): Promise<Omit<CheckResult, 'name'>> {
  const [counts] = await select<Record<'compared' | 'differing', string>>(
    `SELECT count() AS compared, countIf(differs) AS differing FROM (${balancesOf(check, part)})`,
  );
  const [compared, differing] = [Number(counts!.compared), Number(counts!.differing)];
  if (differing === 0) return { compared, differing, limited: {}, rows: [] };
  const found = await select<{ limit: string; count: string; rows: DifferenceTuple[] }>(`
    SELECT limit, count() AS count, groupArray(${MAX_ROWS})((${texts(check.keys)}, expected, stored)) AS rows
    FROM (${withLimits(check, differencesOf(check, part))})
    GROUP BY limit
    ORDER BY limit`);
  const beyond = found.filter(({ limit }) => limit !== '');
  const unexplained = found.find(({ limit }) => limit === '');
  return {
    compared,
    differing: Number(unexplained?.count ?? 0),
    limited: Object.fromEntries(beyond.map(({ limit, count }) => [limit, Number(count)])),
    rows: unexplained?.rows.map(([key, expected, stored]) => ({ key, expected, stored })) ?? [],
  };
}

/** In slices of time first, by months with events from first to last, of which none needs more memory than all. */
function finer({ part, parts, slice }: Part, times: Slice | undefined): Part[] {
  const slices = times === undefined ? [] : cutSlice(slice, times);
  if (slices.length > 1) return slices.map((each) => ({ part, parts, slice: each }));
  return Array.from({ length: FINER }, (_, i) => ({ part: part + i * parts, parts: parts * FINER, slice }));
}

function add(total: CheckResult, { compared, differing, limited, rows }: Omit<CheckResult, 'name'>): void {
  total.compared += compared;
  total.differing += differing;
  for (const [limit, count] of Object.entries(limited)) total.limited[limit] = (total.limited[limit] ?? 0) + count;
  total.rows.push(...rows.slice(0, MAX_ROWS - total.rows.length));
}

/**
 * SELECTs for each key whether its sides differ, without the key: whether the digests of the rows that are stored add
 * up to those that are expected. Takes a tenth of the memory that keys and rows do.
 */
function balancesOf(check: Check, part: Part): string {
  const { keys, expected, stored } = check;
  const digests = (sign: string, rows: string) => `SELECT *, ${sign}(${digestOf(check)}) AS digest FROM (${rows})`;
  return `
    SELECT sum(digest) != 0 AS differs
    FROM (
      SELECT ${keys.join(', ')}, digest FROM (${digests('-', expected)})
      UNION ALL
      SELECT ${keys.join(', ')}, digest FROM (${digests('', stored)})
    )
    ${whereIn(check, part)}
    GROUP BY sipHash128(${keys.join(', ')})
    HAVING max(digest != 0)`;
}

/** Of a row: a hash, or of what is to be added up a number of which the same holds, each value times its own weight. */
function digestOf({ values, isOfSums }: Check): string {
  if (!isOfSums) return `toInt128(cityHash64(${asTexts(values)}))`;
  return values.map((value) => `toInt128(${value}) * toInt128('${weightOf(value)}')`).join(' + ');
}

/** A number of 120 bits that those of other columns have nothing to do with. */
function weightOf(column: string): bigint {
  return BigInt(`0x${createHash('sha256').update(column).digest('hex').slice(0, 30)}`);
}

/** SELECTs each key with the rows that either side has for it. */
function sidesOf(check: Check, part: Part): string {
  const { keys, values, isOfSums, expected, stored } = check;
  const key = keys.join(', ');
  const rows = (side: string) => (isOfSums ? sumsOf(keys, values, side) : side);
  return `
    SELECT ${key}, groupArrayIf(row, NOT is_stored) AS expected, groupArrayIf(row, is_stored) AS stored
    FROM (
      SELECT ${key}, ${texts(values)} AS row, false AS is_stored FROM (${rows(expected)})
      UNION ALL
      SELECT ${key}, ${texts(values)} AS row, true AS is_stored FROM (${rows(stored)})
    )
    ${whereIn(check, part)}
    GROUP BY ${key}`;
}

/** Sums may be larger than what is added up, which may not wrap unseen. */
function sumsOf(keys: readonly string[], values: readonly string[], rows: string): string {
  return `
    SELECT ${keys.join(', ')}, ${values.map((value) => `sum(toInt128(s.${value})) AS ${value}`).join(', ')}
    FROM (${rows}) AS s
    GROUP BY ${keys.join(', ')}
    HAVING ${values.map((value) => `${value} != 0`).join(' OR ')}`;
}

/** By the user where keys have one: ClickHouse then reads and joins only what is of these users. */
function whereIn({ keys, inSlices }: Check, { part, parts, slice }: Part): string {
  const conditions = ['true'];
  if (parts > 1)
    conditions.push(`cityHash64(${keys.includes('user_id') ? 'user_id' : keys.join(', ')}) % ${parts} = ${part}`);
  if (inSlices === 'of days' && slice !== ALL_TIME) {
    conditions.push(`day >= ${dateOf(slice.from)}`, `day < ${dateOf(slice.to)}`);
  }
  return `WHERE ${conditions.join(' AND ')}`;
}

function dateOf(time: number): string {
  return `toDate32('${new Date(time).toISOString().slice(0, 10)}')`;
}

/** SELECTs the keys that differ. */
function differencesOf(check: Check, part: Part): string {
  return `SELECT * FROM (${sidesOf(check, part)}) WHERE expected != stored`;
}

type DifferenceTuple = [Difference['key'], Difference['expected'], Difference['stored']];

/** Columns as one value, in JSON an object of texts. */
function texts(columns: readonly string[]): string {
  return `CAST(tuple(${asTexts(columns)}) AS Tuple(${columns.map((column) => `${column} String`).join(', ')}))`;
}

function asTexts(columns: readonly string[]): string {
  return columns.map((column) => `toString(${column})`).join(', ');
}
