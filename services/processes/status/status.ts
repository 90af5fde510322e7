import type { AttributionEnvironment } from '../../attribution/decision/config.ts';
import { TOPICS, type Topic } from '../../contract/topics.ts';
import { json } from '../../http/exchange/http-message.ts';
import type { HttpRoute } from '../../http/routes/http-routes.ts';
import type { EventLog } from '../../log/event-log.ts';

/** The sources of a status. Offsets are by partition, absent where they are not known. */
export interface StatusSource {
  attribution: AttributionEnvironment;
  clickhouseUrl: string;
  log: EventLog;
  /** First offsets of raw-events not folded. */
  folded(): Promise<readonly (number | undefined)[]>;
  /** First offsets not in ClickHouse. */
  inserted(topic: Topic): Promise<readonly (number | undefined)[]>;
  /** The part of a status that only a mesh of several processes has. */
  cluster?(): Promise<object>;
}

/** `GET /status`: how far every partition has come, for operators, `clickmesh status` and `clickmesh audit`. */
export function statusRoute(source: StatusSource): HttpRoute {
  const summary = 'How far every partition has come.';
  return { method: 'GET', path: '/status', summary, safe: true, handle: async () => json(await status(source)) };
}

async function status(source: StatusSource) {
  const { attribution, log } = source;
  const [folded, cluster, topics] = await Promise.all([
    source.folded(),
    source.cluster?.(),
    Promise.all(
      TOPICS.map(async (topic) => topicStatus(topic, await source.inserted(topic), await log.offsets(topic))),
    ),
  ]);
  return {
    clickhouse_url: withoutCredentials(source.clickhouseUrl),
    lookback_hours: attribution.LOOKBACK_HOURS,
    lookback_hours_by_type: attribution.LOOKBACK_HOURS_BY_TYPE,
    models: attribution.MODELS,
    topics,
    attribution: folded.flatMap((next_offset, partition) =>
      next_offset === undefined ? [] : [{ partition, next_offset }],
    ),
    ...cluster,
  };
}

function topicStatus(
  topic: Topic,
  inserted: readonly (number | undefined)[],
  offsets: readonly { start: number; end: number }[],
) {
  return {
    topic,
    partitions: offsets.map(({ start, end }, partition) => ({
      partition,
      start,
      end,
      inserted: inserted[partition] ?? null,
    })),
  };
}

function withoutCredentials(address: string): string {
  const url = new URL(address);
  url.username = '';
  url.password = '';
  return url.href;
}
