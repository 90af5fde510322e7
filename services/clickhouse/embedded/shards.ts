import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { freePort } from '../../system/free-port.ts';
import { EMBEDDED_CONFIG, type EmbeddedClickHouse, startEmbeddedClickHouse } from './server.ts';

export interface ClickHouseShardsOptions {
  /** Folder of all shards' data. It must always be started with the same number of shards. */
  dir: string;
  shards: number;
  logger: Logger;
}

export interface ClickHouseShards {
  /** Addresses by shard, which stay the same when a server is restarted. */
  urls: string[];
  pids(): number[];
  /** True if all servers answered their last health checks. */
  healthy(): boolean;
  close(): Promise<void>;
}

/** The cluster's name in the shards' configuration. */
export const EMBEDDED_CLUSTER = 'clickmesh';

/** Runs embedded servers that know each other as the shards of EMBEDDED_CLUSTER. Rejects if one can't start. */
export async function startClickHouseShards(options: ClickHouseShardsOptions): Promise<ClickHouseShards> {
  const { dir, shards, logger } = options;
  const tcpPorts: number[] = [];
  for (let shard = 1; shard <= shards; shard++) tcpPorts.push(await freePort());
  mkdirSync(dir, { recursive: true });
  const configFile = resolve(dir, 'config.xml');
  writeFileSync(configFile, configOf(tcpPorts));

  await using starting = new AsyncDisposableStack();
  const servers: EmbeddedClickHouse[] = [];
  for (const [i, tcpPort] of tcpPorts.entries()) {
    const shard = i + 1;
    const server = await startEmbeddedClickHouse({
      dir: join(dir, `shard-${shard}`),
      logger: logger.child({ shard }),
      cluster: { configFile, tcpPort },
    });
    starting.defer(() => server.close());
    servers.push(server);
  }
  const running = starting.move();
  return {
    urls: servers.map(({ url }) => url),
    pids: () => servers.map((server) => server.pid()),
    healthy: () => servers.every((server) => server.healthy()),
    close: () => running.disposeAsync(),
  };
}

/** Adds the cluster to the configuration of an embedded server. */
function configOf(tcpPorts: number[]): string {
  const shards = tcpPorts.map(
    (port) => `<shard><replica><host>127.0.0.1</host><port>${port}</port></replica></shard>\n`,
  );
  const servers = `<remote_servers><${EMBEDDED_CLUSTER}>\n${shards.join('')}</${EMBEDDED_CLUSTER}></remote_servers>\n`;
  return readFileSync(EMBEDDED_CONFIG, 'utf8').replace('</clickhouse>', `${servers}</clickhouse>`);
}
