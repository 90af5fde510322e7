import { Readable } from 'node:stream';
import { type DescMessage, fromBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { type ClickHouseClient, ClickHouseError, type ClickHouseSettings } from '@clickhouse/client';
import type { Topic } from '../contract/topics.ts';
import type { LogRecord } from '../log/event-log.ts';
import { type ExtraField, schemaText } from './schema-text.ts';
import { STREAMS, type Stream } from './streams.ts';

/**
 * Fields that carry what the Kafka engine adds to a record as virtual columns. A record is sent as these fields
 * followed by its value, which is one valid message, made without decoding the value. They come first so that a value
 * that was cut off can't swallow them. Their numbers are far above those that the contract uses.
 */
const PARTITION: ExtraField = { type: 'uint64', name: '_partition', number: 1001 };
const OFFSET: ExtraField = { type: 'uint64', name: '_offset', number: 1002 };
const TIMESTAMP: ExtraField = { type: 'string', name: '_timestamp_ms', number: 1003 };
const ERROR: ExtraField = { type: 'string', name: '_error', number: 1004 };
const RAW_MESSAGE: ExtraField = { type: 'bytes', name: '_raw_message', number: 1005 };

/** Settings of an insert, by topic. */
const SETTINGS: ReadonlyMap<Topic, ClickHouseSettings> = new Map(
  STREAMS.map(({ topic, message }) => [
    topic,
    {
      format_schema_source: 'string',
      format_schema: schemaText(message, [PARTITION, OFFSET, TIMESTAMP, ERROR, RAW_MESSAGE]),
      format_schema_message_name: message.name,
      // Tables are partitioned by day, and a backfill brings years at once.
      max_partitions_per_insert_block: '0',
    },
  ]),
);

/** ClickHouse's names for errors that lie in a record's bytes. Any other may pass, so the insert is tried again. */
const DATA_ERRORS = new Set([
  'ATTEMPT_TO_READ_AFTER_EOF',
  'CANNOT_READ_ALL_DATA',
  'INCORRECT_DATA',
  'PROTOBUF_BAD_CAST',
  'TOO_LARGE_ARRAY_SIZE',
  'TOO_LARGE_STRING_SIZE',
  'UNKNOWN_PROTOBUF_FORMAT',
]);

interface Entry {
  record: LogRecord;
  /** Why the record can't become a row: its value then goes to ingest_errors as it is. Undefined if none is known. */
  error?: string;
}

/**
 * Inserts records through the stream's queue into its tables; those that can't be parsed become rows of ingest_errors.
 * On return every record is stored, durably. If it throws, any of them may be; inserting them again changes nothing.
 */
export async function insertRecords(client: ClickHouseClient, stream: Stream, records: readonly LogRecord[]) {
  const entries: Entry[] = records.map((record) => ({ record }));
  const refusal = await insert(client, stream, entries);
  if (refusal === undefined) return;
  // A record that can't be decoded here is known to be bad without asking ClickHouse.
  for (const entry of entries) entry.error = decodeError(stream.message, entry.record.value);
  await insertSuspects(client, stream, entries);
}

/** Inserts what can be inserted: halves a batch that ClickHouse refuses until the bad records stand alone. */
async function insertSuspects(client: ClickHouseClient, stream: Stream, entries: readonly Entry[]): Promise<void> {
  const refusal = await insert(client, stream, entries);
  if (refusal === undefined) return;
  const [{ record, error }] = entries as [Entry];
  if (entries.length > 1) {
    const middle = entries.length >> 1;
    await insertSuspects(client, stream, entries.slice(0, middle));
    await insertSuspects(client, stream, entries.slice(middle));
  } else if (error === undefined) {
    await insertSuspects(client, stream, [{ record, error: refusal }]);
  } else {
    throw new Error(`ClickHouse refuses to note an error of ${stream.topic}: ${refusal}`);
  }
}

/** Returns ClickHouse's message if the bytes of a record are at fault, undefined if all is inserted; else throws. */
async function insert(
  client: ClickHouseClient,
  stream: Stream,
  entries: readonly Entry[],
): Promise<string | undefined> {
  try {
    const { stream: answer } = await client.exec({
      query: `INSERT INTO ${stream.queue} FORMAT Protobuf`,
      values: Readable.from([encode(entries)], { objectMode: false }),
      clickhouse_settings: SETTINGS.get(stream.topic),
    });
    answer.resume();
  } catch (error) {
    if (error instanceof ClickHouseError && DATA_ERRORS.has(error.type ?? '')) return error.message;
    throw error;
  }
}

/** Encodes records in the format "Protobuf": messages, each with its length before it. */
function encode(entries: readonly Entry[]): Uint8Array {
  const body = new BinaryWriter();
  for (const { record, error } of entries) {
    const position = new BinaryWriter()
      .tag(PARTITION.number, WireType.Varint)
      .uint32(record.partition)
      .tag(OFFSET.number, WireType.Varint)
      .uint64(record.offset)
      .tag(TIMESTAMP.number, WireType.LengthDelimited)
      .string((record.appendTime / 1000).toFixed(3));
    if (error !== undefined) {
      position.tag(ERROR.number, WireType.LengthDelimited).string(error);
      position.tag(RAW_MESSAGE.number, WireType.LengthDelimited).bytes(record.value);
    }
    const head = position.finish();
    const value = error === undefined ? record.value : new Uint8Array();
    body
      .uint32(head.length + value.length)
      .raw(head)
      .raw(value);
  }
  return body.finish();
}

function decodeError(message: DescMessage, value: Uint8Array): string | undefined {
  try {
    fromBinary(message, value);
  } catch (error) {
    return `not readable as ${message.name}: ${(error as Error).message}`;
  }
}
