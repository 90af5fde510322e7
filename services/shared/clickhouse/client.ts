import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';

export interface ClickHouseCredentials {
  /** "default" if there is none. */
  user?: string;
  password?: string;
}

/** A client of the server at `url`. It logs nothing by itself: what fails is thrown, once is enough. */
export function clickhouseClient(url: string, { user, password }: ClickHouseCredentials = {}): ClickHouseClient {
  return createClient({ url, username: user, password, log: { level: ClickHouseLogLevel.OFF } });
}
