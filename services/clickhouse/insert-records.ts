import { Readable } from 'node:stream';
import { type DescMessage, fromBinary } from '@bufbuild/protobuf';
import { WireType } from '@bufbuild/protobuf/wire';
import { type ClickHouseClient, ClickHouseError, type ClickHouseSettings } from '@clickhouse/client';
import type { Topic } from '../contract/topics.ts';
import { putNumber, putText, putVarint } from '../contract/wire.ts';
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
      // Tables are partitioned by month, and a backfill brings years at once.
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

/** Most bytes of the fields before a record's value and of its length, but for those of an error. */
const HEAD_BYTES = 64;
const PARTITION_TAG = (PARTITION.number << 3) | WireType.Varint;
const OFFSET_TAG = (OFFSET.number << 3) | WireType.Varint;
const TIMESTAMP_TAG = (TIMESTAMP.number << 3) | WireType.LengthDelimited;
const ERROR_TAG = (ERROR.number << 3) | WireType.LengthDelimited;
const RAW_MESSAGE_TAG = (RAW_MESSAGE.number << 3) | WireType.LengthDelimited;
const head = Buffer.allocUnsafeSlow(HEAD_BYTES);

/**
 * Encodes records in the format "Protobuf": messages, each with its length before it. All are put into one piece of
 * memory, as there are tens of thousands of small ones.
 */
function encode(entries: readonly Entry[]): Buffer {
  let most = 0;
  for (const { record, error } of entries) most += HEAD_BYTES + record.value.length + 3 * (error?.length ?? 0);
  const body = Buffer.allocUnsafeSlow(most);
  let at = 0;
  for (const { record, error } of entries) {
    const { partition, offset, appendTime, value } = record;
    let end = putNumber(head, 0, PARTITION_TAG, partition);
    end = putNumber(head, end, OFFSET_TAG, offset);
    end = putText(head, end, TIMESTAMP_TAG, (appendTime / 1000).toFixed(3));
    const rest = error === undefined ? value : errorFields(error, value);
    at = putVarint(body, at, end + rest.length);
    at = copyInto(body, at, head.subarray(0, end));
    at = copyInto(body, at, rest);
  }
  return body.subarray(0, at);
}

function errorFields(error: string, value: Uint8Array): Buffer {
  const fields = Buffer.allocUnsafeSlow(HEAD_BYTES / 2 + 3 * error.length + value.length);
  const end = putVarint(fields, putText(fields, 0, ERROR_TAG, error), RAW_MESSAGE_TAG);
  return fields.subarray(0, copyInto(fields, putVarint(fields, end, value.length), value));
}

function copyInto(to: Buffer, at: number, bytes: Uint8Array): number {
  to.set(bytes, at);
  return at + bytes.length;
}

function decodeError(message: DescMessage, value: Uint8Array): string | undefined {
  try {
    fromBinary(message, value);
  } catch (error) {
    return `not readable as ${message.name}: ${(error as Error).message}`;
  }
}
