import { readFileSync } from 'node:fs';
import { parseAttributionEnvironment } from '../../attribution/decision/config.ts';
import { GROUP } from '../../attribution/partition/opening.ts';
import { listCheckpoints } from '../../attribution/recovery/checkpoint.ts';
import { checkpointStore, RECOVERY } from '../../attribution/recovery/recovery-config.ts';
import { kafkaConsumers } from '../../clickhouse/kafka-consumers.ts';
import { clickhouseGroup } from '../../clickhouse/migrate.ts';
import { type ClickHouse, openClickHouse } from '../../clickhouse/servers.ts';
import { STREAMS } from '../../clickhouse/streams.ts';
import type { Topic } from '../../contract/topics.ts';
import type { KafkaLog } from '../../log/kafka/log.ts';
import { CLICKHOUSE, LINKS, parseSettings } from '../settings/settings.ts';
import type { Reader, Reading, StallSource, Stalls } from './stalls.ts';
import type { StatusSource } from './status.ts';

/** Longest wait of a status for a ClickHouse server that may hang, in ms. */
const CLICKHOUSE_TIMEOUT_MS = 2000;

/** Opens the ClickHouse that the environment names; undefined if it names none. */
export function clickhouseOf(env: NodeJS.ProcessEnv): ClickHouse | undefined {
  if (env.CLICKHOUSE_URL === undefined) return undefined;
  return openClickHouse(parseSettings(env, CLICKHOUSE));
}

interface ClusterParts {
  env: NodeJS.ProcessEnv;
  log: KafkaLog;
  clickhouse: ClickHouse;
  stalls: Stalls;
}

/**
 * What the offsets that attribution and ClickHouse commit to their groups tell of how they go on.
 *
 * @param hasClickHouse whether a ClickHouse reads the log: only those who are told of it know
 */
export function clusterStalls(log: KafkaLog, hasClickHouse: boolean): StallSource {
  const reading = async (reader: Reader, topic: Topic, group: string): Promise<Reading> => {
    const offsets = await committedBy(log, topic, group);
    return { reader, topic, positions: offsets.map((nextOffset) => ({ nextOffset })) };
  };
  const ofClickHouse = hasClickHouse ? STREAMS : [];
  return {
    log,
    readings: () =>
      Promise.all([
        reading('attribution', 'raw-events', GROUP),
        ...ofClickHouse.map(({ topic }) => reading('ClickHouse', topic, clickhouseGroup(topic))),
      ]),
  };
}

async function committedBy(log: KafkaLog, topic: Topic, group: string): Promise<number[]> {
  const offsets: number[] = [];
  for (const { partition, offset } of await log.committed(topic, group)) offsets[partition] = offset;
  return offsets;
}

/** The status of a mesh on Kafka, from the offsets that consumers have committed to their groups. */
export function clusterView({ env, log, clickhouse, stalls }: ClusterParts): StatusSource {
  return {
    stalls,
    tracesUrl: parseSettings(env, LINKS).TRACES_URL,
    attribution: parseAttributionEnvironment(env),
    clickhouseUrl: clickhouse.urls[0]!,
    log,
    folded: () => committedBy(log, 'raw-events', GROUP),
    inserted: (topic) => committedBy(log, topic, clickhouseGroup(topic)),
    async cluster() {
      const [owners, marks, checkpoints, warnings] = await Promise.all([
        log.members('raw-events', GROUP),
        watermarks(clickhouse).catch(() => []),
        newestCheckpoints(env, await log.offsets('raw-events')),
        consumerWarnings(clickhouse),
      ]);
      return { processes: processes(env), owners, watermarks: marks, checkpoints, warnings };
    },
  };
}

/** The clock of each partition, as ClickHouse knows it. */
async function watermarks({ client }: ClickHouse): Promise<{ partition: number; watermark: string }[]> {
  const query = 'SELECT partition, toString(watermark) AS watermark FROM attribution_progress FINAL ORDER BY partition';
  const abort_signal = AbortSignal.timeout(CLICKHOUSE_TIMEOUT_MS);
  return (await client.query({ query, format: 'JSONEachRow', abort_signal })).json();
}

/** The last checkpoint of each partition that has one; undefined where none are taken. */
async function newestCheckpoints(env: NodeJS.ProcessEnv, partitions: readonly unknown[]) {
  const store = checkpointStore(parseSettings(env, RECOVERY));
  if (store === undefined) return undefined;
  const listed = await Promise.all(partitions.map((_, partition) => listCheckpoints(store, partition)));
  return listed.flatMap(([newest]) => newest ?? []);
}

/** Warnings for the operator, a sentence each. */
async function consumerWarnings({ clients, urls }: ClickHouse): Promise<string[]> {
  const warnings = clients.map(async (client, i) => {
    try {
      const frozen = (await kafkaConsumers(client, AbortSignal.timeout(CLICKHOUSE_TIMEOUT_MS))).filter(
        (consumer) => consumer.frozen,
      );
      return frozen.map(({ topic, lastPollTime }) => {
        const since = new Date(lastPollTime).toISOString();
        return `ClickHouse at ${urls[i]} has not polled ${topic} since ${since}: restart it if that lasts`;
      });
    } catch (error) {
      return [`ClickHouse at ${urls[i]} does not answer: ${(error as Error).message}`];
    }
  });
  return (await Promise.all(warnings)).flat();
}

/** The processes that `clickmesh cluster` has started. */
function processes(env: NodeJS.ProcessEnv): unknown {
  return env.PROCESSES_FILE === undefined ? undefined : JSON.parse(readFileSync(env.PROCESSES_FILE, 'utf8'));
}
