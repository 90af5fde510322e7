import {
  createAPI,
  fetchV17,
  listOffsetsV9,
  type Reader,
  ResponseError,
  readKnownTaggedFields,
} from '@platformatic/kafka';
import type { ReadOptions, RecordPosition } from '../../event-log.ts';
import type { KafkaCluster } from '../cluster.ts';

export const EARLIEST = -2n;
export const LATEST = -1n;

const ANY_EPOCH = -1;
const NO_LEADER = -1;
const NO_SESSION = -1;
const CLIENT = -1;
const UP_TO_HIGH_WATERMARK = 0;

/** First offset, bytes of batches to get, roughly, and longest wait of the broker for a first record, in ms. */
export type FetchRequest = RecordPosition & Pick<ReadOptions, 'maxBytes' | 'waitMs'>;

export interface Fetched {
  /** Record batches as stored: whole ones, and maybe the beginning of another. */
  batches: Buffer;
  /** End of the partition for consumers: its high watermark. */
  end: number;
}

/** The library's Fetch call, for one partition. Rejects with the library's errors. */
const fetchBatches = createAPI<Parameters<typeof fetchV17.createRequest>, Fetched>(
  fetchV17.api.key,
  fetchV17.api.version,
  fetchV17.createRequest,
  (_correlationId: number, apiKey: number, apiVersion: number, reader: Reader) => {
    const errors: Record<string, [number, null]> = {};
    const note = (path: string, code: number) => {
      if (code !== 0) errors[path] = [code, null];
    };
    const fetched: Fetched = { batches: Buffer.alloc(0), end: 0 };
    reader.readInt32(); // throttle time
    note('', reader.readInt16());
    reader.readInt32(); // session
    reader.readArray((topic, i) => {
      topic.readUUID();
      topic.readArray(
        (partition, j) => {
          partition.readInt32(); // index
          note(`/responses/${i}/partitions/${j}`, partition.readInt16());
          fetched.end = Number(partition.readInt64()); // high watermark
          partition.skip(2 * 8); // last stable offset, log start
          partition.readNullableArray((aborted) => aborted.skip(2 * 8));
          partition.readInt32(); // preferred replica
          fetched.batches = readRecords(partition);
          readKnownTaggedFields(partition, {});
        },
        true,
        false,
      );
    });
    if (Object.keys(errors).length > 0) throw new ResponseError(apiKey, apiVersion, errors, fetched);
    return fetched;
  },
);

/** COMPACT_RECORDS: one more than the length, 0 for none, and the bytes. */
function readRecords(reader: Reader): Buffer {
  const length = Math.max(0, reader.readUnsignedVarInt() - 1);
  const start = reader.position;
  reader.skip(length);
  return reader.buffer.slice(start, start + length);
}

/** Asks the partition's leader, once. */
export async function fetchPartition(
  cluster: KafkaCluster,
  topic: string,
  { partition, offset, maxBytes, waitMs }: FetchRequest,
): Promise<Fetched> {
  const { id, leaders } = cluster.topic(topic);
  const wanted = {
    partition,
    currentLeaderEpoch: ANY_EPOCH,
    fetchOffset: BigInt(offset),
    lastFetchedEpoch: ANY_EPOCH,
    partitionMaxBytes: maxBytes,
  };
  const topics = [{ topicId: id, partitions: [wanted] }];
  return cluster.ask(leaders[partition] ?? NO_LEADER, (connection) =>
    fetchBatches.async(connection, waitMs, 1, maxBytes, UP_TO_HIGH_WATERMARK, 0, NO_SESSION, topics, [], ''),
  );
}

/** Offsets at a timestamp, EARLIEST or LATEST, by partition number. Asks every leader, once. */
export async function listOffsets(cluster: KafkaCluster, name: string, timestamp: bigint): Promise<number[]> {
  const { leaders } = cluster.topic(name);
  const found: number[] = [];
  for (const leader of new Set(leaders)) {
    const partitions = leaders.flatMap((led, partitionIndex) =>
      led === leader ? [{ partitionIndex, currentLeaderEpoch: ANY_EPOCH, timestamp }] : [],
    );
    const answer = await cluster.ask(leader, (connection) =>
      listOffsetsV9.api.async(connection, CLIENT, UP_TO_HIGH_WATERMARK, [{ name, partitions }]),
    );
    for (const { partitionIndex, offset } of answer.topics[0]!.partitions) found[partitionIndex] = Number(offset);
  }
  return found;
}
