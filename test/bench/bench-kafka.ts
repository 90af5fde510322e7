import pino from 'pino';
import type { EventLog } from '../../services/log/event-log.ts';
import { openKafkaLog } from '../../services/log/kafka/log.ts';
import { createKafkaTopics } from '../../services/log/kafka/topics.ts';
import { startKafka } from '../../services/processes/cluster/kafka-server.ts';

/** One broker with the empty topics of the log, in as many partitions as the Java peers' topics have. */
export interface BenchKafka {
  dir: string;
  bootstrap: string;
  pid: number;
  log: EventLog;
  stop(): Promise<void>;
}

const PARTITIONS = 4;

export async function startBenchKafka(dir: string): Promise<BenchKafka> {
  await using starting = new AsyncDisposableStack();
  const server = await startKafka({ dir, logger: pino({ level: 'silent' }) });
  starting.defer(() => server.close());
  const { bootstrap } = server;
  await createKafkaTopics(bootstrap, {
    partitions: PARTITIONS,
    replicationFactor: 1,
    retentionMs: -1,
    retentionBytes: -1,
  });
  const log = await openKafkaLog({ bootstrap, clientId: 'bench', deadlineMs: 60_000 });
  starting.defer(() => log.close());
  const running = starting.move();
  return { dir, bootstrap, pid: server.pids()[0]!, log, stop: () => running.disposeAsync() };
}
