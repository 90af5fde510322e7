import type { ClickHouseClient } from '@clickhouse/client';
import type { Topic } from '../contract/topics.ts';
import { STREAMS } from './streams.ts';

/** The consumer of a topic in one server's Kafka engine. */
export interface KafkaConsumer {
  topic: Topic;
  /** Its partitions, each with the next offset that it reads; undefined until it has read a record. */
  assignments: { partition: number; nextOffset: number | undefined }[];
  /** When it last polled, by the server's clock, in ms since 1970-01-01 UTC; 0 if it has not polled yet. */
  lastPollTime: number;
  /** The latest error, which may be long over, with its time in ms since 1970-01-01 UTC; undefined if none. */
  lastException: { time: number; text: string } | undefined;
  /**
   * True if it has partitions and has stopped polling: a commit may be stuck (ClickHouse#113920), and a restart of the
   * server helps.
   */
  frozen: boolean;
}

/** Far longer than the pauses of a healthy consumer: with nothing to read it polls twice a second. */
const FROZEN_AFTER_SECONDS = 30;

interface Row {
  table: string;
  assignments: [partition: number, offset: number][];
  exceptions: [time: number, text: string][];
  last_poll: number;
  frozen: boolean;
}

/** Lists the consumers of a server's queues. There are none until the server has tried to reach a broker. */
export async function kafkaConsumers(client: ClickHouseClient, signal?: AbortSignal): Promise<KafkaConsumer[]> {
  const result = await client.query({
    query: `
      SELECT table,
        arrayZip(assignments.partition_id, assignments.current_offset) AS assignments,
        arrayZip(arrayMap(time -> toUnixTimestamp(time), exceptions.time), exceptions.text) AS exceptions,
        toUnixTimestamp(last_poll_time) AS last_poll,
        notEmpty(assignments) AND last_poll_time < now() - {limit:UInt32} AS frozen
      FROM system.kafka_consumers
      WHERE database = currentDatabase()
      ORDER BY table`,
    query_params: { limit: FROZEN_AFTER_SECONDS },
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
    format: 'JSONEachRow',
    abort_signal: signal,
  });
  return (await result.json<Row>()).flatMap((row) => {
    const stream = STREAMS.find(({ queue }) => queue === row.table);
    return stream === undefined ? [] : [consumerOf(stream.topic, row)];
  });
}

function consumerOf(topic: Topic, { assignments, exceptions, last_poll, frozen }: Row): KafkaConsumer {
  const last = exceptions.at(-1);
  return {
    topic,
    assignments: assignments.map(([partition, offset]) => ({
      partition,
      // librdkafka reports an unknown offset as a negative number.
      nextOffset: offset < 0 ? undefined : offset,
    })),
    lastPollTime: last_poll * 1000,
    lastException: last && { time: last[0] * 1000, text: last[1] },
    frozen: Boolean(frozen),
  };
}
