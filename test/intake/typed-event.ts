import { isUtf8 } from 'node:buffer';
import { type DescField, fromBinary, ScalarType } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { type Event, EventSchema } from '../../gen/ts/clickmesh/v1/event_pb.js';
import { type Case, type Member, membersOf } from './table.ts';

/** Returns the event as a serialized Event; undefined if its fields can't have what the JSON has. */
export function typedEvent({ form, members }: Pick<Case, 'form' | 'members'>): Buffer | undefined {
  const type = members.find(({ name }) => name === 'event_type')?.value.slice(1, -1);
  const arm = EventSchema.fields.find(({ name }) => name === type);
  if (!(form === 'event' || form === 'typed') || arm?.message === undefined) return undefined;
  const fields = new BinaryWriter();
  const names = new Set<string>();
  for (const { name, value } of members) {
    if (name === 'event_type') continue;
    const field = arm.message.fields.find((one) => one.name === name);
    if (field === undefined || names.has(name) || !writeField(fields, field, value, form)) return undefined;
    names.add(name);
  }
  const event = new BinaryWriter().tag(arm.number, WireType.LengthDelimited).bytes(fields.finish());
  return Buffer.from(event.finish());
}

/** Returns the event as a message; undefined also if a text of it is not UTF-8. */
export function eventMessage(event: Pick<Case, 'form' | 'members'>): Event | undefined {
  const bytes = typedEvent(event);
  try {
    return bytes && fromBinary(EventSchema, bytes);
  } catch {
    return undefined;
  }
}

/** Writes a field unless its value is the empty one; false if the type of the field is another. */
function writeField(writer: BinaryWriter, field: DescField, value: string, form: Case['form']): boolean {
  if (field.fieldKind === 'map') return writeMap(writer, field.number, value);
  if (field.fieldKind !== 'scalar') return false;
  if (field.scalar === ScalarType.STRING) return writeText(writer, field.number, value);
  if (field.scalar === ScalarType.DOUBLE) {
    // JSON has no numbers that are not finite.
    if (String(Number(value)) !== value || (form === 'event' && !Number.isFinite(Number(value)))) return false;
    if (value !== '0' || field.proto.proto3Optional) writer.tag(field.number, WireType.Bit64).double(Number(value));
    return true;
  }
  if (field.scalar === ScalarType.BOOL) {
    if (value !== 'true' && value !== 'false') return false;
    writer.tag(field.number, WireType.Varint).bool(value === 'true');
    return true;
  }
  // 0 is what is absent, of which JSON says that it is required, unless the field is optional.
  const isInteger = field.proto.proto3Optional ? /^(?:0|-?[1-9]\d*)$/ : /^-?[1-9]\d*$/;
  if (!isInteger.test(value) || BigInt.asIntN(64, BigInt(value)) !== BigInt(value)) return false;
  writer.tag(field.number, WireType.Varint).int64(value);
  return true;
}

function writeText(writer: BinaryWriter, number: number, value: string): boolean {
  const text = bytesOf(value);
  if (text === undefined) return false;
  if (text.length > 0) writer.tag(number, WireType.LengthDelimited).bytes(text);
  return true;
}

function writeMap(writer: BinaryWriter, number: number, value: string): boolean {
  if (!value.startsWith('{')) return false;
  return membersOf(value).every((member: Member) => {
    const key = bytesOf(member.name.startsWith('"') ? member.name : `"${member.name}"`);
    const text = bytesOf(member.value);
    if (key === undefined || text === undefined) return false;
    const entry = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(key);
    writer.tag(number, WireType.LengthDelimited).bytes(entry.tag(2, WireType.LengthDelimited).bytes(text).finish());
    return true;
  });
}

/** The bytes of a text of JSON, UTF-8 or not; undefined for what is no text, or has half of a surrogate pair. */
function bytesOf(value: string): Buffer | undefined {
  if (!/^".*"$/s.test(value)) return undefined;
  const bytes = Buffer.from(value, 'latin1');
  if (!isUtf8(bytes)) return bytes.subarray(1, -1);
  const text = JSON.parse(bytes.toString()) as string;
  return text.isWellFormed() ? Buffer.from(text) : undefined;
}
