import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';

/** A query of a large table takes minutes. */
const QUERY_TIMEOUT_MS = 3_600_000;

/** Calls with a client of a mesh's ClickHouse, and closes it. CLICKHOUSE_URL, _USER and _PASSWORD come first. */
export async function withClickHouse<T>(address: string, use: (client: ClickHouseClient) => Promise<T>): Promise<T> {
  const { CLICKHOUSE_URL, CLICKHOUSE_USER: username, CLICKHOUSE_PASSWORD: password } = process.env;
  const client = createClient({
    // Any server of a cluster will do.
    url: (CLICKHOUSE_URL || address).split(',')[0],
    username,
    password,
    request_timeout: QUERY_TIMEOUT_MS,
    // A sign of life every two minutes, so that no proxy between takes a long query for a dead one.
    clickhouse_settings: { send_progress_in_http_headers: 1, http_headers_progress_interval_ms: '120000' },
    // A failed query throws; that need not be logged as well.
    log: { level: ClickHouseLogLevel.OFF },
  });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}
