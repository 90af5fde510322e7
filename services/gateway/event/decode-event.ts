import { create, fromBinary } from '@bufbuild/protobuf';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { type Event, EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { EVENT_TYPES, EVENTS, type EventShape, type FieldShape } from '../../contract/event-rules.ts';
import { escapedText } from './escaped-text.ts';

/**
 * Decodes a serialized Event. Bytes of a text that are not UTF-8 become lone surrogates, by which accept knows them.
 * Throws an Error if it is no Protobuf, or a field is of another type.
 */
export function decodeEvent(bytes: Uint8Array): Event {
  try {
    return fromBinary(EventSchema, bytes);
  } catch {
    return decodeEscaped(bytes);
  }
}

/** The decoder of all of Protobuf refuses an event for one text. */
function decodeEscaped(bytes: Uint8Array): Event {
  const reader = new BinaryReader(bytes, escapedText);
  let event: Event['event'] = { case: undefined };
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const shape = EVENT_TYPES.map((type) => EVENTS[type]).find((each) => each.number === number);
    if (shape === undefined) reader.skip(wireType, number);
    else event = { case: shape.type, value: readFields(shape, reader.bytes()) } as unknown as Event['event'];
  }
  return create(EventSchema, { event });
}

function readFields(shape: EventShape, bytes: Uint8Array): object {
  const reader = new BinaryReader(bytes, escapedText);
  const message = create(shape.message) as unknown as Record<string, unknown>;
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const field = shape.fields.find((each) => each.number === number);
    if (field === undefined) reader.skip(wireType, number);
    else if (field.rule.case === 'map') readEntry(message[field.localName] as Record<string, string>, reader.bytes());
    else message[field.localName] = readValue(field, reader);
  }
  return message;
}

function readValue({ name, rule }: FieldShape, reader: BinaryReader): unknown {
  switch (rule.case) {
    case 'uuid':
    case 'text':
    case 'currency':
    case 'choice':
      return reader.string();
    case 'time':
    case 'integer':
      return BigInt(reader.int64());
    case 'number':
      return reader.double();
    case 'flag':
      return reader.bool();
    default:
      throw new Error(`${name} has no value of its own`);
  }
}

function readEntry(texts: Record<string, string>, bytes: Uint8Array): void {
  const reader = new BinaryReader(bytes, escapedText);
  const entry = ['', '', ''];
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number > 2) reader.skip(wireType, number);
    else entry[number] = reader.string();
  }
  Object.defineProperty(texts, entry[1]!, { value: entry[2], enumerable: true, configurable: true, writable: true });
}
