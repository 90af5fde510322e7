import { Role } from '../../gen/ts/clickmesh/v1/rules_pb.js';
import type { EventShape, FieldShape } from '../../services/contract/event-rules.ts';

/** A tag or a length below 16 KiB, as a varint, takes at most so many bytes. */
export const HEAD_BYTES = 3;
const MAX_VARINT_BYTES = 10;
const UUID_BYTES = 36;
/** Fields up to this number have tags of one byte. */
const MAX_NUMBER = 15;

/** Touches and outcomes are sent often; what corrects them is not. */
export function isOften({ role }: EventShape): boolean {
  return role === Role.TOUCH || role === Role.OUTCOME;
}

/** As a literal. Throws an Error for a tag of two bytes, which the readers of wire-reader.ts do not know. */
export function tag(number: number, wireType: number): string {
  if (number > MAX_NUMBER) throw new Error(`a field of an event has number ${number}: give it one up to ${MAX_NUMBER}`);
  return `0x${((number << 3) | wireType).toString(16).padStart(2, '0')}`;
}

const WIRE_TYPES = { uuid: 2, text: 2, choice: 2, map: 2, currency: 2, time: 0, integer: 0, flag: 0, number: 1 };

export function tagOf({ number, rule }: FieldShape): string {
  return tag(number, WIRE_TYPES[rule.case!]);
}

export function maxBytes({ fields }: EventShape): number {
  return fields.reduce((sum, { rule }) => sum + maxFieldBytes(rule), 1 + HEAD_BYTES);
}

function maxFieldBytes(rule: FieldShape['rule']): number {
  switch (rule.case) {
    case 'uuid':
      return HEAD_BYTES + UUID_BYTES;
    case 'text':
      return 2 * HEAD_BYTES + rule.value.maxBytes;
    case 'map':
      return rule.value.maxBytes + rule.value.maxEntries * 4 * HEAD_BYTES;
    case 'choice':
      return HEAD_BYTES + Math.max(...rule.value.values.map((value) => Buffer.byteLength(value)));
    case 'currency':
      return 0;
    default:
      return HEAD_BYTES + MAX_VARINT_BYTES;
  }
}

export function isStored(field: FieldShape, stored: EventShape['stored']): boolean {
  return field === stored?.from || field === stored?.to;
}

/** Fields of a record: not a number that is stored in another field, nor a currency. */
export function loggedFields({ fields, stored }: EventShape): FieldShape[] {
  return fields.filter((field) => field !== stored?.from && field.rule.case !== 'currency');
}
