import type { ClickHouseClient } from '@clickhouse/client';
import { clickhouseClient } from './client.ts';

/** The ClickHouse servers of a mesh. */
export interface ClickHouse {
  /** Client of the first server, which asks the others for what it does not hold. */
  client: ClickHouseClient;
  /** Clients of all servers. */
  clients: readonly ClickHouseClient[];
  /** Addresses of all servers, in the order of `clients`. */
  urls: readonly string[];
  /** Rejects unless every server answers. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Settings of the mesh, by their names. */
interface ClickHouseSettings {
  CLICKHOUSE_URL: readonly string[];
  CLICKHOUSE_USER: string | undefined;
  CLICKHOUSE_PASSWORD: string | undefined;
}

export function openClickHouse(config: ClickHouseSettings): ClickHouse {
  const { CLICKHOUSE_URL: urls, CLICKHOUSE_USER: user, CLICKHOUSE_PASSWORD: password } = config;
  const clients = urls.map((url) => clickhouseClient(url, user, password));
  return {
    client: clients[0]!,
    clients,
    urls,
    async ping() {
      for (const pinged of await Promise.all(clients.map((client) => client.ping()))) {
        if (!pinged.success) throw pinged.error;
      }
    },
    async close() {
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}
