import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';

/** A client of the server at `url`. It logs nothing by itself: what fails is thrown, once is enough. */
export function clickhouseClient(url: string): ClickHouseClient {
  return createClient({ url, log: { level: ClickHouseLogLevel.OFF } });
}
