import type { ClickHouseClient } from '@clickhouse/client';
import type { Topic } from '../contract/topics.ts';
import { STREAMS } from './streams.ts';

/** What one server's Kafka engine reads of a topic. */
export interface KafkaConsumer {
  topic: Topic;
  /** Its partitions and the next offset it will read of each; undefined until it has read a record. */
  assignments: { partition: number; nextOffset: number | undefined }[];
  /** By the server's clock, in ms since 1970-01-01 UTC; 0 if it has not polled yet. */
  lastPollTime: number;
  /** The last thing that went wrong, which may be long over, and when. */
  lastException: { time: number; text: string } | undefined;
  /** It has partitions and does not poll any more: a commit may be stuck, and restarting the server helps. */
  frozen: boolean;
}

/** A consumer with nothing to read still polls twice a second. */
const FROZEN_AFTER_SECONDS = 30;

interface Row {
  table: string;
  assignments: [partition: number, offset: number][];
  exceptions: [time: number, text: string][];
  last_poll: number;
  frozen: boolean;
}

/** The consumers of the server's queues, by topic. There are none until the server has tried to reach a broker. */
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
      // Negative numbers are the library's words for "unknown".
      nextOffset: offset < 0 ? undefined : offset,
    })),
    lastPollTime: last_poll * 1000,
    lastException: last && { time: last[0] * 1000, text: last[1] },
    frozen: Boolean(frozen),
  };
}
