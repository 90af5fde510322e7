import type { ClickHouseClient } from '@clickhouse/client';
import { statusCaughtUp } from '../../../services/cli/ask-mesh.ts';
import { clickhouseClient } from '../../../services/clickhouse/client.ts';
import { DAY_MS } from '../../../services/contract/limits.ts';

/** An event as ClickHouse has it. */
export interface Stored {
  event_type: string;
  event_id: string;
  user_id: string;
  source: string;
  /** In ms. */
  timestamp: number;
  value_micros: string;
  metadata: Record<string, string>;
}

/** What became of the events that clients sent, whatever those say of it. */
export interface StoredEvents extends AsyncDisposable {
  /** The events of users whose ids begin so, once all that the log has is in ClickHouse. */
  of(userPrefix: string): Promise<Stored[]>;
  /** Clicks of today by the statistics of a campaign. */
  clicks(campaign: string): Promise<number>;
}

const TIMEOUT_MS = 120_000;
const COLUMNS = `event_type, toString(event_id) AS event_id, user_id, source,
  toUnixTimestamp64Milli(timestamp) AS timestamp, toString(value_micros) AS value_micros, metadata`;

export async function storedEvents(url: () => string): Promise<StoredEvents> {
  const clients = new Map<string, ClickHouseClient>();

  async function rows<T>(query: string, params: Record<string, string>): Promise<T[]> {
    const { clickhouse_url: clickhouse } = await statusCaughtUp(url(), TIMEOUT_MS);
    if (!clients.has(clickhouse)) clients.set(clickhouse, clickhouseClient(clickhouse));
    const result = await clients.get(clickhouse)!.query({ query, query_params: params, format: 'JSONEachRow' });
    return result.json<T>();
  }

  return {
    async of(userPrefix) {
      const query = `SELECT ${COLUMNS} FROM events_distributed FINAL WHERE startsWith(user_id, {prefix:String})`;
      const stored = await rows<Stored>(query, { prefix: userPrefix });
      return stored.map((event) => ({ ...event, timestamp: Number(event.timestamp) }));
    },
    async clicks(campaign) {
      await statusCaughtUp(url(), TIMEOUT_MS);
      const [from, to] = [-1, 1].map((days) => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10));
      const days = `start_date=${from}&end_date=${to}`;
      const response = await fetch(`${url()}/api/v1/stats?${days}&campaign_id=${encodeURIComponent(campaign)}`);
      const body = (await response.json()) as { data?: { clicks: number }[] };
      if (body.data === undefined) throw new Error(JSON.stringify(body));
      return body.data.reduce((sum, { clicks }) => sum + clicks, 0);
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients.values()) await client.close();
    },
  };
}
