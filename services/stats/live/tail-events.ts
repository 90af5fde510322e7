import type { ClickHouseClient } from '@clickhouse/client';
import type {
  TailEventsRequest,
  TailEventsResponse,
  TailedEvent,
  TailedSecond,
} from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import { EVENT_TYPES } from '../../contract/event-rules.ts';
import { isMetadata, metadataKeyOf } from '../../contract/rollups.ts';
import { type FieldError, unknownValue } from '../requests/field-error.ts';
import { type Filter, parseFilters } from '../requests/filters.ts';
import { textFault } from '../requests/text-fault.ts';
import { selectRows } from '../select-rows.ts';
import type { Look } from './shared-looks.ts';

/** Most events of an answer: more than that a second nobody reads. */
const MAX_EVENTS = 200;
/**
 * How far back events are looked for, in ms. What arrives in ClickHouse later than that after it was acknowledged is
 * not tailed: each look would have to read all that came since.
 */
const LOOKBACK_MS = 120_000;
/** Seconds that whoever begins to watch gets at once. */
const REMEMBERED_SECONDS = 60;
/** How often the decision on a conversion is looked for. */
const DECISION_LOOKS = 30;
const PERIOD_MS = 1000;
const NO_ID = '00000000-0000-0000-0000-000000000000';

/** A checked request. */
export interface Tail {
  eventTypes: readonly string[];
  filters: readonly Filter[];
  /** All when empty. */
  userId: string;
}

/** What a request asks for, or the first field that can't be answered. */
export function parseTail({ eventTypes, filters: asked, userId }: TailEventsRequest): Tail | FieldError {
  const unknown = eventTypes.find((type) => !(EVENT_TYPES as string[]).includes(type));
  if (unknown !== undefined) return unknownValue('event_types', unknown, EVENT_TYPES);
  const filters = parseFilters(asked);
  if ('field' in filters) return filters;
  return textFault({ user_id: userId }) ?? { eventTypes, filters, userId };
}

/** Looks for what arrived since the look before; the first answers with the newest of the last LOOKBACK_MS. */
export function tailLook(client: ClickHouseClient, tail: Tail, model: string): Look<TailEventsResponse> {
  /** First offsets not told, by partition. */
  const told = new Map<string, bigint>();
  /** Conversions told whose decision had not arrived, by id, and how often it is still looked for. */
  const undecided = new Map<string, { event: TailedEvent; looks: number }>();
  let isFirst = true;

  const next = async (signal: AbortSignal): Promise<TailEventsResponse | undefined> => {
    const from = new Map(told);
    const arrived = await selectRows<Arrived>(client, arrivedStatement(from), signal);
    for (const { _partition, last } of arrived) {
      told.set(_partition, max(told.get(_partition) ?? 0n, BigInt(last) + 1n));
    }
    const selected =
      arrived.length === 0 ? [] : await selectRows<Selected>(client, eventsStatement(tail, from, told), signal);
    const events = selected.map(eventOf).reverse();
    for (const event of events) {
      if (event.eventType === 'conversion') undecided.set(event.eventId, { event, looks: DECISION_LOOKS });
    }
    const before = new Set(events);
    const decided = (await decide(client, undecided, model, signal)).filter((event) => !before.has(event));
    if (arrived.length === 0 && decided.length === 0) return undefined;
    const skipped = isFirst ? 0n : BigInt(selected[0]?.matched ?? 0) - BigInt(events.length);
    isFirst = false;
    return answer([...decided, ...events], skipped, secondsOf(arrived));
  };

  return { next, merge: merged, remember, periodMs: PERIOD_MS };
}

function answer(events: TailedEvent[], skipped: bigint, seconds: TailedSecond[]): TailEventsResponse {
  return { $typeName: 'clickmesh.v1.TailEventsResponse', events, skipped, seconds };
}

/** Two answers as one: an event that is told again has what became of it. */
function merged(first: TailEventsResponse, second: TailEventsResponse): TailEventsResponse {
  const byId = new Map<string, TailedEvent>();
  for (const event of [...first.events, ...second.events]) byId.set(`${event.eventType} ${event.eventId}`, event);
  const events = [...byId.values()];
  const left = Math.max(0, events.length - MAX_EVENTS);
  const skipped = first.skipped + second.skipped + BigInt(left);
  return answer(events.slice(left), skipped, addSeconds([...first.seconds, ...second.seconds]));
}

function remember(last: TailEventsResponse | undefined, next: TailEventsResponse): TailEventsResponse {
  const all = last === undefined ? next : merged(last, next);
  return answer(all.events, 0n, all.seconds.slice(-REMEMBERED_SECONDS));
}

/** What arrived in a second in a partition. */
interface Arrived {
  _partition: string;
  second: string;
  clicks: string;
  conversions: string;
  adjustments: string;
  verdicts: string;
  /** Its greatest offset. */
  last: string;
}

/** Offsets tell what was told from what was not: a partition may come to ClickHouse later than others. */
function arrivedStatement(from: ReadonlyMap<string, bigint>) {
  const counts = Object.entries(COUNTED).map(
    ([name, type]) => `uniqExactIf(_offset, event_type = '${type}') AS ${name}`,
  );
  return {
    query: `
      SELECT _partition, toUnixTimestamp(_append_time) AS second, ${counts.join(', ')}, max(_offset) AS last
      FROM events_distributed
      WHERE _append_time > now64(3) - INTERVAL ${LOOKBACK_MS} MILLISECOND
        AND _offset >= {from:Map(UInt32, UInt64)}[_partition]
      GROUP BY _partition, second`,
    query_params: { from },
  };
}

const COUNTED = { clicks: 'click', conversions: 'conversion', adjustments: 'adjustment', verdicts: 'verdict' } as const;
const COUNTS = Object.keys(COUNTED) as (keyof typeof COUNTED)[];

function secondsOf(arrived: readonly Arrived[]): TailedSecond[] {
  const seconds = arrived.map((row) => {
    const counts = Object.fromEntries(COUNTS.map((name) => [name, BigInt(row[name])]));
    return { $typeName: 'clickmesh.v1.TailedSecond', time: BigInt(row.second) * 1000n, ...counts } as TailedSecond;
  });
  return addSeconds(seconds);
}

/** The seconds in their order, each once. */
function addSeconds(seconds: readonly TailedSecond[]): TailedSecond[] {
  const sums = new Map<bigint, TailedSecond>();
  for (const each of seconds) {
    const sum = sums.get(each.time);
    if (sum === undefined) sums.set(each.time, { ...each });
    else for (const name of COUNTS) sum[name] += each[name];
  }
  return [...sums.values()].sort((a, b) => Number(a.time - b.time));
}

interface Selected {
  event_type: string;
  id: string;
  user_id: string;
  campaign_id: string;
  ad_id: string;
  source: string;
  conversion_type: string;
  value_micros: string;
  kind: string;
  target: string;
  time: string;
  arrival: string;
  /** All that matched the request, with those beyond MAX_EVENTS. */
  matched: string;
}

/** The newest events between offsets, newest first. */
function eventsStatement(
  { eventTypes, filters, userId }: Tail,
  from: ReadonlyMap<string, bigint>,
  to: ReadonlyMap<string, bigint>,
) {
  const query_params: Record<string, unknown> = { from, to, eventTypes, userId };
  const conditions = filters.map(({ dimension, values, exclude }, i) => {
    query_params[`values${i}`] = values;
    if (isMetadata(dimension)) query_params[`key${i}`] = metadataKeyOf(dimension);
    const column = isMetadata(dimension) ? `metadata[{key${i}:String}]` : dimension;
    return `AND ${column} ${exclude ? 'NOT IN' : 'IN'} {values${i}:Array(String)}`;
  });
  if (eventTypes.length > 0) conditions.push('AND event_type IN {eventTypes:Array(String)}');
  if (userId !== '') conditions.push('AND user_id = {userId:String}');
  return {
    query: `
      SELECT *, count() OVER () AS matched
      FROM (
        SELECT event_type, toString(event_id) AS id, user_id, campaign_id, ad_id, source, conversion_type, value_micros,
          kind, toString(target_id) AS target, toUnixTimestamp64Milli(timestamp) AS time,
          toUnixTimestamp64Milli(_append_time) AS arrival, _partition, _offset
        FROM events_distributed
        WHERE _append_time > now64(3) - INTERVAL ${LOOKBACK_MS} MILLISECOND
          AND _offset >= {from:Map(UInt32, UInt64)}[_partition] AND _offset < {to:Map(UInt32, UInt64)}[_partition]
          ${conditions.join(' ')}
        LIMIT 1 BY _partition, _offset
      )
      ORDER BY arrival DESC, _partition DESC, _offset DESC
      LIMIT ${MAX_EVENTS}`,
    query_params,
  };
}

function eventOf(row: Selected): TailedEvent {
  return {
    $typeName: 'clickmesh.v1.TailedEvent',
    eventType: row.event_type,
    eventId: row.id,
    userId: row.user_id,
    campaignId: row.campaign_id,
    adId: row.ad_id,
    source: row.source,
    conversionType: row.conversion_type,
    valueMicros: BigInt(row.value_micros),
    kind: row.kind,
    targetId: row.target === NO_ID ? '' : row.target,
    timestamp: BigInt(row.time),
    arrivalTime: BigInt(row.arrival),
    creditedCampaignId: '',
    outcome: row.event_type === 'conversion' ? 'pending' : 'counted',
  };
}

interface Decided {
  id: string;
  user_id: string;
  attributed: string;
  campaign: string;
}

/** Tells conversions what became of them, and returns those whose decision has come; they are then not undecided. */
async function decide(
  client: ClickHouseClient,
  undecided: Map<string, { event: TailedEvent; looks: number }>,
  model: string,
  signal: AbortSignal,
): Promise<TailedEvent[]> {
  if (undecided.size === 0) return [];
  const statement = {
    query: `
      SELECT toString(conversion_id) AS id, user_id, attributed,
        arrayFirst(c -> c.credits_micros[indexOf(models, {model:String})] > 0, considered).campaign_id AS campaign
      FROM conversion_decisions FINAL
      WHERE conversion_id IN {ids:Array(UUID)}`,
    query_params: { model, ids: [...undecided.keys()] },
  };
  const rows = await selectRows<Decided>(client, statement, signal);
  const decided: TailedEvent[] = [];
  for (const { id, user_id, attributed, campaign } of rows) {
    const event = undecided.get(id)?.event;
    if (event === undefined || event.userId !== user_id) continue;
    event.outcome = Number(attributed) === 1 ? 'attributed' : 'unattributed';
    event.creditedCampaignId = campaign;
    decided.push(event);
    undecided.delete(id);
  }
  for (const [id, each] of undecided) {
    each.looks--;
    if (each.looks <= 0) undecided.delete(id);
  }
  return decided;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
