import { createAPI, fetchV17, type Reader, ResponseError, readKnownTaggedFields } from '@platformatic/kafka';

const NO_RECORDS: Buffer = Buffer.alloc(0);

/**
 * The library's Fetch call, for one partition, with the record batches of the answer as they are: whole ones, and
 * maybe the beginning of another. Rejects with the library's errors.
 */
export const fetchBatches = createAPI<Parameters<typeof fetchV17.createRequest>, Buffer>(
  fetchV17.api.key,
  fetchV17.api.version,
  fetchV17.createRequest,
  (_correlationId: number, apiKey: number, apiVersion: number, reader: Reader) => {
    const errors: Record<string, [number, null]> = {};
    const note = (path: string, code: number) => {
      if (code !== 0) errors[path] = [code, null];
    };
    let records = NO_RECORDS;
    reader.readInt32(); // throttle time
    note('', reader.readInt16());
    reader.readInt32(); // session
    reader.readArray((topic, i) => {
      topic.readUUID();
      topic.readArray(
        (partition, j) => {
          partition.readInt32(); // index
          note(`/responses/${i}/partitions/${j}`, partition.readInt16());
          partition.skip(3 * 8); // high watermark, last stable offset, log start
          partition.readNullableArray((aborted) => aborted.skip(2 * 8));
          partition.readInt32(); // preferred replica
          records = readRecords(partition);
          readKnownTaggedFields(partition, {});
        },
        true,
        false,
      );
    });
    if (Object.keys(errors).length > 0) throw new ResponseError(apiKey, apiVersion, errors, records);
    return records;
  },
);

/** COMPACT_RECORDS: one more than the length, 0 for none, and the bytes. */
function readRecords(reader: Reader): Buffer {
  const length = Math.max(0, reader.readUnsignedVarInt() - 1);
  const start = reader.position;
  reader.skip(length);
  return reader.buffer.slice(start, start + length);
}
