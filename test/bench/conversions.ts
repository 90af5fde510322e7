import type { ClickHouseClient } from '@clickhouse/client';
import type { MeshProcess } from '../fixtures/mesh-process.ts';
import { percentile } from './load.ts';
import type { Figure, Scenario } from './scenario.ts';
import { clickhouseOf, waitUntilMerged } from './stats.ts';

const WARM_UP = 2;
/** Conversions that are inserted at once. */
const AT_ONCE = 100_000;
/** How long merging a table may take. */
const MERGE_TIMEOUT_MS = 300_000;
const SIZE = { conversions: 1_000_000, explained: 1000, queries: 20 };
const QUICK = { conversions: 1000, explained: 3, queries: 2 };
const DAYS = 30;
const MAX_TOUCHES = 5;
const FROM = Date.UTC(2025, 5, 1);
const PERIOD = 'start_date=2025-06-01&end_date=2025-06-30';

/** What is asked of all conversions, with how many its answer says there are. */
const QUERIES = [
  ['ListConversions, newest', `conversions?${PERIOD}`, 'total'],
  ['ListConversions, by lag', `conversions?${PERIOD}&order_by=-lag&model=linear`, 'total'],
  ['TopPaths', `paths?${PERIOD}`, 'conversions'],
  ['TopPaths by ad, repeats collapsed', `paths?${PERIOD}&dimension=ad_id&collapse_repeats=true`, 'conversions'],
  ['TimeLag', `time-lag?${PERIOD}&model=last_click`, undefined],
  ['PathLength', `path-length?${PERIOD}`, undefined],
] as const;

export const conversions: Scenario<MeshProcess> = {
  name: 'conversions',
  method:
    `Over ${SIZE.conversions.toLocaleString('en-US')} conversions in ${DAYS} days with 1 to ${MAX_TOUCHES} touches each, under five models, their ` +
    `decisions, events and credits merged: ExplainConversion by REST, ${SIZE.explained} times, each of another conversion, and ` +
    `the lists and paths of all days, ${SIZE.queries} times; one after the other, until the answer is read to its end.`,
  run: (mesh, quick) => run(mesh, quick ? QUICK : SIZE, quick),
};

async function run(mesh: MeshProcess, size: typeof SIZE, quick: boolean): Promise<Figure[]> {
  await using client = await clickhouseOf(mesh, MERGE_TIMEOUT_MS);
  await fill(client, size.conversions);
  for (const table of quick ? [] : ['decisions_local', 'attributed_events_local', 'events_local']) {
    await client.command({ query: `OPTIMIZE TABLE ${table} FINAL` });
    await waitUntilMerged(client, table);
  }
  const ids = await idsOf(client, size.explained + WARM_UP);
  const explain = await timed(ids.map((id) => `${mesh.url}/api/v1/explain?conversion_id=${id}`));
  const figures = figuresOf('ExplainConversion', explain.latencies);
  for (const [name, query, counter] of QUERIES) {
    const urls = Array<string>(size.queries + WARM_UP).fill(`${mesh.url}/api/v1/${query}`);
    const { latencies, answer } = await timed(urls);
    if (counter !== undefined && answer[counter] !== size.conversions)
      throw new Error(`${query} tells of ${answer[counter]} conversions, not of ${size.conversions}`);
    figures.push(...figuresOf(name, latencies));
  }
  return figures;
}

function figuresOf(name: string, latencies: readonly number[]): Figure[] {
  return [0.5, 0.99].map((share) => {
    return { name: `${name}: p${share * 100}`, value: percentile(latencies, share), unit: 'ms' };
  });
}

/** Asks one after the other; latencies in ms, ascending, without those of the first few, and the last answer. */
async function timed(urls: readonly string[]) {
  const latencies: number[] = [];
  let answer: Record<string, unknown> = {};
  for (const url of urls) {
    const asked = performance.now();
    const response = await fetch(url);
    const body = await response.text();
    latencies.push(performance.now() - asked);
    if (!response.ok) throw new Error(`${url} answered ${response.status}: ${body}`);
    answer = JSON.parse(body) as typeof answer;
  }
  return { latencies: latencies.slice(WARM_UP).sort((a, b) => a - b), answer };
}

async function idsOf(client: ClickHouseClient, count: number): Promise<string[]> {
  const query = `SELECT toString(conversion_id) AS id FROM conversion_decisions ORDER BY cityHash64(id) LIMIT ${count}`;
  const rows = await (await client.query({ query, format: 'JSONEachRow' })).json<{ id: string }>();
  return rows.map(({ id }) => id);
}

/** Of the conversion `number`: its id, user, time, number of touches, and of its touch i, from 1, the newest. */
const ID = "reinterpret(sipHash128('conversion', number), 'UUID')";
const USER = "'user-' || toString(intDiv(number, 2))";
const TIME_MS = `toInt64(${FROM} + intDiv(number * ${DAYS * 86_400_000}, {count:UInt64}))`;
const TOUCHES = `(1 + number % ${MAX_TOUCHES})`;
const CLICK = "reinterpret(sipHash128('click', number, i), 'UUID')";
const AD = "'ad-' || toString(cityHash64(number, i) % 10000)";
const CAMPAIGN = "'camp-' || toString(intDiv(cityHash64(number, i) % 10000, 10))";
const SOURCE = "'source-' || toString(cityHash64(number, i) % 5)";
const CLICK_MS = `(${TIME_MS} - i * 3600000)`;
const NUMBERS = 'SELECT number FROM numbers({from:UInt64}, {size:UInt64})';
const datetime = (ms: string) => `fromUnixTimestamp64Milli(${ms}, 'UTC')`;
/** Those that are on by default, with the credit of the touch under each; the last two as if they were linear, too. */
const MODELS = "['last_click', 'first_click', 'linear', 'time_decay', 'position_based']";
const SHARE = `intDiv(1000000, ${TOUCHES})`;
const CREDITS = `[if(i = 1, 1000000, 0), if(i = ${TOUCHES}, 1000000, 0), ${SHARE}, ${SHARE}, ${SHARE}]`;
/** The partition and the offset of the conversion; those of its clicks come after. */
const PLACE = `number % 4, number * ${MAX_TOUCHES + 1}`;

/** Rows as the sink writes them. */
async function fill(client: ClickHouseClient, count: number): Promise<void> {
  const statements = [
    `INSERT INTO conversion_decisions (conversion_id, user_id, conversion_type, conversion_time, value_micros,
        lookback_ms, attributed, models, considered, version, _partition, _offset)
      SELECT ${ID}, ${USER}, 'purchase', ${datetime(TIME_MS)}, 19990000, 86400000, 1, ${MODELS},
        arrayMap(i -> (toString(${CLICK}), ${AD}, ${CAMPAIGN}, ${SOURCE}, ${CLICK_MS}, ${CREDITS},
          arrayMap(c -> if(c > 0, 1, if(i = 1, 3, 2)), ${CREDITS})), range(1, ${TOUCHES} + 1)), number + 1, ${PLACE}
      FROM (${NUMBERS})`,
    `INSERT INTO attributed_events (conversion_id, click_id, user_id, ad_id, campaign_id, source, conversion_type, model,
        credit_micros, value_micros, click_time, conversion_time, attribution_window_hours, version, _partition, _offset)
      SELECT ${ID}, ${CLICK}, ${USER}, ${AD}, ${CAMPAIGN}, ${SOURCE}, 'purchase', model, credit,
        intDiv(credit * 1999, 100), ${datetime(CLICK_MS)}, ${datetime(TIME_MS)}, 24, number + 1, ${PLACE}
      FROM (SELECT number, arrayJoin(range(1, ${TOUCHES} + 1)) AS i FROM (${NUMBERS}))
      ARRAY JOIN ${MODELS} AS model, ${CREDITS} AS credit WHERE credit > 0`,
    `INSERT INTO events_distributed (event_type, event_id, user_id, ad_id, campaign_id, source, timestamp, _partition,
        _offset, _append_time)
      SELECT 'click', ${CLICK}, ${USER}, ${AD}, ${CAMPAIGN}, ${SOURCE}, ${datetime(CLICK_MS)}, ${PLACE} + i,
        ${datetime(CLICK_MS)}
      FROM (SELECT number, arrayJoin(range(1, ${TOUCHES} + 1)) AS i FROM (${NUMBERS}))`,
    `INSERT INTO events_distributed (event_type, event_id, user_id, conversion_type, value_micros, timestamp, _partition,
        _offset, _append_time)
      SELECT 'conversion', ${ID}, ${USER}, 'purchase', 19990000, ${datetime(TIME_MS)}, ${PLACE}, ${datetime(TIME_MS)}
      FROM (${NUMBERS})`,
  ];
  for (let from = 0; from < count; from += AT_ONCE) {
    const query_params = { count, from, size: Math.min(AT_ONCE, count - from) };
    for (const query of statements) await client.command({ query, query_params });
  }
}
