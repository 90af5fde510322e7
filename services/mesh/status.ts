import type { EventLog } from '../shared/log/event-log.ts';
import { TOPICS } from '../shared/log/event-log.ts';
import { json } from '../shared/rpc/http-message.ts';
import type { HttpRoute } from '../shared/rpc/http-routes.ts';
import type { MeshConfig } from './config.ts';
import type { Pipeline } from './pipeline.ts';

interface StatusDeps {
  config: MeshConfig;
  log: EventLog;
  pipeline: Promise<Pipeline>;
  clickhouseUrl: string;
}

/** `GET /status`: how far every partition has come, for operators and `clickmesh audit`. */
export function statusRoute({ config, log, pipeline, clickhouseUrl }: StatusDeps): HttpRoute {
  return {
    method: 'GET',
    path: '/status',
    async handle() {
      const pipelineStatus = await (await pipeline).status();
      const topics = await Promise.all(
        TOPICS.map(async (topic) => ({
          topic,
          partitions: (await log.offsets(topic)).map(({ start, end }, partition) => ({
            partition,
            start,
            end,
            inserted: pipelineStatus?.inserted[topic]?.[partition] ?? null,
          })),
        })),
      );
      return json({
        clickhouse_url: withoutCredentials(clickhouseUrl),
        lookback_hours: config.attribution.LOOKBACK_HOURS,
        lookback_hours_by_type: config.attribution.LOOKBACK_HOURS_BY_TYPE,
        models: config.attribution.MODELS,
        topics,
        attribution: (pipelineStatus?.attribution ?? []).map(({ partition, nextOffset }) => ({
          partition,
          next_offset: nextOffset,
        })),
      });
    },
  };
}

function withoutCredentials(address: string): string {
  const url = new URL(address);
  url.username = '';
  url.password = '';
  return url.href;
}
