// Sends events, each a line of base64 of an Event, one by one and then in a batch; prints a line of base64 of an
// IngestResult for each.
import { text } from 'node:stream/consumers';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { IngestResultSchema, RejectReason } from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { connectClickmesh, Rejected } from '../../../gen/ts/dist/client.js';

const lines = (await text(process.stdin)).trim().split('\n');
const events = () => lines.map((line) => fromBinary(EventSchema, Buffer.from(line, 'base64')));
const client = connectClickmesh(process.env.CLICKMESH_URL, { logger: null });

function print(answer) {
  const result =
    answer instanceof Rejected
      ? { case: 'rejected', value: { ...answer, reason: RejectReason[answer.reason], message: answer.message } }
      : { case: 'accepted', value: { ...answer, eventId: answer.storedId, offset: BigInt(answer.offset) } };
  const bytes = toBinary(IngestResultSchema, create(IngestResultSchema, { result }));
  process.stdout.write(`${Buffer.from(bytes).toString('base64')}\n`);
}

for (const event of events()) print(await client.send(event).catch((error) => error));
for (const answer of await client.sendBatch(events())) print(answer);
await client.close();
