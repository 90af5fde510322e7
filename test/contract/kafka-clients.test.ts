import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { compressionsAlgorithms } from '@platformatic/kafka';
import { CompressionCodecs, CompressionTypes, Kafka, logLevel, Partitioners } from 'kafkajs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EventLog, LogRecord } from '../../services/log/event-log.ts';
import { openKafkaLog } from '../../services/log/kafka/log.ts';
import { kafkaJars } from '../../services/processes/cluster/kafka-jars.ts';
import { startTestKafka, type TestKafka } from '../fixtures/kafka.ts';
import { KAFKA } from '../needs.ts';

const TOPIC = 'raw-events';
const KEYS = Array.from({ length: 10_000 }, (_, i) => `user-${i}-ü`);

CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: async ({ buffer }: { buffer: Buffer }) => compressionsAlgorithms.lz4.compressSync(buffer),
  decompress: async (buffer: Buffer) => compressionsAlgorithms.lz4.decompressSync(buffer),
});

describe('with other clients of Kafka', { tags: KAFKA }, () => {
  let kafka: TestKafka;
  let kafkajs: Kafka;
  let log: EventLog;
  beforeAll(async () => {
    kafka = await startTestKafka();
    kafkajs = new Kafka({ clientId: 'kafkajs', brokers: [kafka.bootstrap], logLevel: logLevel.NOTHING });
  });
  afterAll(() => kafka.close());
  beforeEach(async () => {
    await kafka.emptyTopics();
    log = await openKafkaLog({ bootstrap: kafka.bootstrap, clientId: 'ours' });
    return () => log.close();
  });

  /** Runs one of Kafka's command line tools, which has 30 s. */
  async function runTool(name: string, args: string[], input = ''): Promise<string> {
    const classPath = join(await kafkaJars(), '*');
    const java = ['-Dfile.encoding=UTF-8', '-cp', classPath, `org.apache.kafka.tools.${name}`];
    const connection = ['--bootstrap-server', kafka.bootstrap, '--topic', TOPIC];
    const running = promisify(execFile)('java', [...java, ...connection, ...args], { maxBuffer: 1 << 26 });
    running.child.stdin!.end(input);
    return (await running).stdout;
  }

  async function readAll(): Promise<LogRecord[]> {
    const records: LogRecord[] = [];
    for (const [partition, { start, end }] of (await log.offsets(TOPIC)).entries()) {
      let offset = start;
      while (offset < end) {
        const read = await log.read(TOPIC, { partition, offset }, { maxBytes: 1 << 20, waitMs: 30_000 });
        records.push(...read);
        offset += read.length;
      }
    }
    return records;
  }

  test('10,000 keys go to the same partitions from here, from kafkajs and from the Java client', async () => {
    await log.append(KEYS.map((key) => ({ topic: TOPIC, key, value: Buffer.from('ours') })));
    const producer = kafkajs.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    await producer.send({ topic: TOPIC, messages: KEYS.map((key) => ({ key, value: 'kafkajs' })) });
    await producer.disconnect();
    const keyed = ['--property', 'parse.key=true', '--property', 'key.separator=:'];
    await runTool('ConsoleProducer', keyed, KEYS.map((key) => `${key}:java\n`).join(''));

    const partitions = { ours: new Map(), kafkajs: new Map(), java: new Map() };
    for (const { key, value, partition } of await readAll()) {
      partitions[Buffer.from(value).toString() as keyof typeof partitions].set(key, partition);
    }
    expect(partitions.ours.size).toBe(KEYS.length);
    expect(partitions.kafkajs).toEqual(partitions.ours);
    expect(partitions.java).toEqual(partitions.ours);
  });

  test('kafkajs reads what was appended', async () => {
    const records = KEYS.map(
      (key, i) => ({ topic: TOPIC, key, value: Buffer.from(`${i}`), headers: { n: `${i}` } }) as const,
    );
    const positions = await log.append(records);
    const found = new Map<string, unknown>();
    const complete = Promise.withResolvers<void>();
    const consumer = kafkajs.consumer({ groupId: 'kafkajs' });
    await consumer.connect();
    await consumer.subscribe({ topics: [TOPIC], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ partition, message: { key, value, offset, headers } }) => {
        found.set(`${key}`, { partition, offset: Number(offset), value: `${value}`, n: `${headers!.n}` });
        if (found.size === KEYS.length) complete.resolve();
      },
    });
    await complete.promise;
    await consumer.disconnect();
    expect(found).toEqual(new Map(KEYS.map((key, i) => [key, { ...positions[i], value: `${i}`, n: `${i}` }])));
  });

  test('the Java client reads what was appended', async () => {
    const records = KEYS.map(
      (key, i) => ({ topic: TOPIC, key, value: Buffer.from(`${i}`), headers: { n: `${i}` } }) as const,
    );
    const positions = await log.append(records);
    const shown = ['partition', 'offset', 'headers', 'key'].flatMap((name) => ['--property', `print.${name}=true`]);
    const range = ['--from-beginning', '--max-messages', `${KEYS.length}`];
    const lines = (await runTool('consumer.ConsoleConsumer', [...range, ...shown])).trim().split('\n');
    const expected = KEYS.map((key, i) => {
      const { partition, offset } = positions[i]!;
      return `Partition:${partition}\tOffset:${offset}\tn:${i}\t${key}\t${i}`;
    });
    expect(lines.sort()).toEqual(expected.sort());
  });
});
