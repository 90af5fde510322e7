import { create, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { IngestBatchRequestSchema } from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { readEvent } from './read-event.ts';

const CONVERSION = { event_type: 'conversion', event_id: 'c', user_id: 'u', type: 't', source: 's', timestamp: 1e12 };

test.each([0, 1, 32, 33, 2000])(
  'an event takes no more bytes in Protobuf than in JSON, by which batches are filled: %d entries',
  (entries) => {
    const metadata = Object.fromEntries(Array.from({ length: entries }, (_, i) => [i.toString(36), 1]));
    const bytes = Buffer.from(JSON.stringify({ ...CONVERSION, metadata }));
    const read = readEvent(bytes, 1);
    if (read.kind === 'rejected') throw new Error(read.rejection.message);
    const request = create(IngestBatchRequestSchema, { events: [read.event] });
    expect(toBinary(IngestBatchRequestSchema, request).length).toBeLessThanOrEqual(bytes.length);
    expect(read.ignored).toHaveLength(Math.max(0, entries - 32));
  },
);
