import { type AttributionEnvironment, attributionConfig } from '../../attribution/decision/config.ts';
import { KINDS } from '../../attribution/decision/kinds.ts';
import { GROUP } from '../../attribution/partition/opening.ts';
import { SetAside } from '../../attribution/partition/set-aside.ts';
import { HOUR_MS } from '../../contract/limits.ts';
import { TOPICS, type Topic } from '../../contract/topics.ts';
import { json } from '../../http/exchange/http-message.ts';
import type { HttpRoute } from '../../http/routes/http-routes.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Stalls } from './stalls.ts';

/** The sources of a status. Offsets are by partition, absent where they are not known. */
export interface StatusSource {
  attribution: AttributionEnvironment;
  clickhouseUrl: string;
  log: EventLog;
  /** First offsets of raw-events not folded. */
  folded(): Promise<readonly (number | undefined)[]>;
  /** Bytes of the state on disk; absent where nothing tells them. */
  stateBytes?(): Promise<readonly (number | undefined)[]>;
  /** First offsets not in ClickHouse. */
  inserted(topic: Topic): Promise<readonly (number | undefined)[]>;
  stalls: Stalls;
  /** Where traces are looked at; empty if that is not known. */
  tracesUrl: string;
  /** The part of a status that only a mesh of several processes has. */
  cluster?(): Promise<object>;
}

/** What GET /status answers. */
export function statusOf(source: StatusSource): () => Promise<object> {
  const aside: SetAside[] = [];
  return async () => ({ ...(await status(source)), set_aside: await setAsideOf(source.log, aside) });
}

/** `GET /status`: how far every partition has come, for operators, `clickmesh status` and `clickmesh audit`. */
export function statusRoute(status: () => Promise<object>): HttpRoute {
  const summary = 'How far every partition has come.';
  const handle = async () => json(await status());
  return { method: 'GET', path: '/status', summary, safe: true, handle };
}

/** Records of each partition that were set aside. @param known by partition, to be kept from one call to the next */
async function setAsideOf(log: EventLog, known: SetAside[]) {
  const ranges = await log.offsets('raw-events.DLT');
  const all = ranges.map(async (_, partition) => {
    const aside = known[partition] ?? new SetAside(log, partition);
    known[partition] = aside;
    await aside.update();
    return { partition, records: aside.size };
  });
  return (await Promise.all(all)).filter(({ records }) => records > 0);
}

async function status(source: StatusSource) {
  const { attribution } = source;
  const { retentionMs } = attributionConfig(attribution);
  const [folded, bytes, committed, cluster, topics] = await Promise.all([
    source.folded(),
    source.stateBytes?.(),
    source.log.committed('raw-events', GROUP),
    source.cluster?.(),
    Promise.all(TOPICS.map((topic) => topicStatus(source, topic))),
  ]);
  return {
    clickhouse_url: withoutCredentials(source.clickhouseUrl),
    lookback_hours: attribution.LOOKBACK_HOURS,
    lookback_hours_by_type: attribution.LOOKBACK_HOURS_BY_TYPE,
    id_hours: idHours(attribution),
    models: attribution.MODELS,
    report_time_zone: attribution.REPORT_TIME_ZONE,
    max_touches: attribution.MAX_TOUCHES,
    traces_url: source.tracesUrl || undefined,
    // How far apart a click and a conversion may arrive, and a correction and what it is about.
    touch_hours: retentionMs.touch / HOUR_MS,
    adjustment_hours: retentionMs.correction / HOUR_MS,
    topics,
    attribution: folded.flatMap((next_offset, partition) => {
      // Before it all that follows is published; before next_offset all but counters of rollups.
      const { offset = 0 } = committed.find((each) => each.partition === partition) ?? {};
      const state_bytes = bytes?.[partition];
      return next_offset === undefined ? [] : [{ partition, next_offset, committed: offset, state_bytes }];
    }),
    stalls: source.stalls.list().map(({ since, ...stall }) => ({ ...stall, since: new Date(since).toISOString() })),
    ...cluster,
  };
}

/** By event type, how long after its arrival an event_id is known. */
function idHours(attribution: AttributionEnvironment): Record<string, number> {
  const { eventIdMs } = attributionConfig(attribution);
  return Object.fromEntries(Object.values(KINDS).map(({ type }) => [type, eventIdMs / HOUR_MS]));
}

async function topicStatus(source: StatusSource, topic: Topic) {
  const inserted = await source.inserted(topic);
  const offsets = await source.log.offsets(topic);
  const partitions = offsets.map((range, partition) => ({
    partition,
    ...range,
    inserted: inserted[partition] ?? null,
  }));
  return { topic, partitions };
}

function withoutCredentials(address: string): string {
  const url = new URL(address);
  url.username = '';
  url.password = '';
  return url.href;
}
