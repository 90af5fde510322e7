import type { ClickHouseClient } from '@clickhouse/client';
import { Command } from 'commander';
import { getStatus } from '../ask-mesh.ts';
import { withClickHouse } from '../clickhouse.ts';
import { integer, urlOption } from '../options.ts';
import { print } from '../print.ts';
import { renderTable } from '../table.ts';

interface ConflictsOptions {
  url: string;
  /** How far back to look, by arrival. */
  days: number;
  /** Most of each kind that are listed. */
  limit: number;
}

/** What counts of an event beside its id, by column; empty columns are left out. */
type Content = Record<string, string>;

/** An event that came again with other content. */
interface Conflict {
  event_type: string;
  event_id: string;
  user_id: string;
  /** When what was not kept arrived. */
  arrived: string;
  /** Null if it is not, or no longer, in ClickHouse. */
  kept: Content | null;
  not_kept: Content;
}

/** An event_id that several users' events of a type have: each is an event of its own. */
interface SharedId {
  event_type: string;
  event_id: string;
  /** How many, and the first ten of them. */
  users: number;
  user_ids: string[];
}

/** `clickmesh conflicts`: events that were not what their event_id says. */
export const conflictsCommand = new Command('conflicts')
  .description('List events that came again under their event_id with other content, and event_ids that users share.')
  .addOption(urlOption())
  .option('--days <n>', 'how far back to look, by arrival', integer(1, 90), 7)
  .option('--limit <n>', 'most of each that are listed, the newest', integer(1, 100_000), 100)
  .option('--json', 'as JSON, on one line')
  .addHelpText(
    'after',
    `
An event whose event_id is known, of the same user and type, is a duplicate: what came first is kept, whatever the second
one says. One event_id under two users is two events. Both are mostly faults of a client.

Example:
  clickmesh conflicts --json | jq '.conflicts[] | select(.event_type == "conversion")'`,
  )
  .action(async (options: ConflictsOptions & { json?: boolean }) => {
    const { clickhouse_url: url } = await getStatus(options.url);
    const found = await withClickHouse(url, (client) => findConflicts(client, options));
    print(options.json ? `${JSON.stringify(found)}\n` : describe(found));
  });

type Asked = Pick<ConflictsOptions, 'days' | 'limit'>;

/** What is to be looked at, the newest first. */
export async function findConflicts(client: ClickHouseClient, options: Asked) {
  return { conflicts: await selectConflicts(client, options), shared_ids: await selectSharedIds(client, options) };
}

async function selectConflicts(client: ClickHouseClient, { days, limit }: Asked): Promise<Conflict[]> {
  const rows = await select<Omit<Conflict, 'kept'>>(
    client,
    `SELECT event_type, toString(event_id) AS event_id, user_id, toString(_append_time) AS arrived, ${CONTENT} AS not_kept
     FROM event_conflicts FINAL
     WHERE _append_time >= now() - toIntervalDay({days:UInt32})
     ORDER BY _append_time DESC, user_id, event_type, event_id, version DESC
     LIMIT {limit:UInt32}`,
    { days, limit },
  );
  const kept = await select<Pick<Conflict, 'event_type' | 'event_id' | 'user_id'> & { content: Content }>(
    client,
    `SELECT event_type, toString(event_id) AS event_id, user_id, ${CONTENT} AS content
     FROM events_distributed FINAL
     WHERE (user_id, event_type, event_id) IN
       (SELECT arrayJoin(arrayZip({users:Array(String)}, {types:Array(String)}, {ids:Array(UUID)})))`,
    {
      users: rows.map(({ user_id }) => user_id),
      types: rows.map(({ event_type }) => event_type),
      ids: rows.map(({ event_id }) => event_id),
    },
  );
  const byKey = new Map(kept.map((row) => [keyOf(row), row.content]));
  return rows.map(({ not_kept, ...row }) => ({ ...row, kept: byKey.get(keyOf(row)) ?? null, not_kept }));
}

function selectSharedIds(client: ClickHouseClient, { days, limit }: Asked): Promise<SharedId[]> {
  return select<SharedId>(
    client,
    `SELECT event_type, toString(event_id) AS event_id, toUInt32(uniqExact(user_id)) AS users,
       arraySort(groupUniqArray(10)(user_id)) AS user_ids
     FROM events_distributed
     WHERE _append_time >= now() - toIntervalDay({days:UInt32})
     GROUP BY event_type, event_id
     HAVING users > 1
     ORDER BY max(_append_time) DESC, event_type, event_id
     LIMIT {limit:UInt32}
     SETTINGS max_bytes_before_external_group_by = ${512 << 20}`,
    { days, limit },
  );
}

/** What counts of an event, as a map of texts. */
const CONTENT = `mapFilter((name, text) -> text != '', map(
  'timestamp', toString(timestamp), 'ad_id', ad_id, 'campaign_id', toString(campaign_id),
  'source', if(event_type = 'conversion', '', toString(source)), 'type', toString(conversion_type),
  'target_id', if(event_type IN ('adjustment', 'verdict'), toString(target_id), ''), 'kind', toString(kind),
  'value', if(event_type IN ('conversion', 'adjustment'), toString(toDecimal128(value_micros, 6) / 1000000), '')))`;

async function select<Row>(
  client: ClickHouseClient,
  query: string,
  parameters: Record<string, unknown>,
): Promise<Row[]> {
  const result = await client.query({ query, query_params: parameters, format: 'JSONEachRow' });
  return result.json<Row>();
}

function keyOf({ user_id, event_type, event_id }: Pick<Conflict, 'user_id' | 'event_type' | 'event_id'>): string {
  return [user_id, event_type, event_id].join('\0');
}

function describe({ conflicts, shared_ids: shared }: { conflicts: Conflict[]; shared_ids: SharedId[] }): string {
  const both = [
    { title: 'type', text: (row: Conflict | SharedId) => row.event_type },
    { title: 'event_id', text: (row: Conflict | SharedId) => row.event_id },
  ];
  const again = [
    ...both,
    { title: 'user', text: ({ user_id }: Conflict) => user_id },
    { title: 'arrived', text: ({ arrived }: Conflict) => arrived },
    { title: 'kept', text: ({ kept }: Conflict) => contentText(kept) },
    { title: 'not kept', text: ({ not_kept }: Conflict) => contentText(not_kept) },
  ];
  const users = [
    ...both,
    { title: 'users', text: (row: SharedId) => String(row.users), right: true },
    { title: 'of them', text: ({ user_ids }: SharedId) => user_ids.join(' ') },
  ];
  return [
    `${conflicts.length} events came again with other content, and were not kept\n`,
    conflicts.length > 0 ? renderTable(again, conflicts) : '',
    `${shared.length} event_ids are those of several users, each an event of its own\n`,
    shared.length > 0 ? renderTable(users, shared) : '',
  ].join('');
}

function contentText(content: Content | null): string {
  if (content === null) return '?';
  return Object.entries(content)
    .map(([name, text]) => `${name}=${text}`)
    .join(' ');
}
