import { type DescField, type DescMessage, getOption, hasOption } from '@bufbuild/protobuf';
import type { Event } from '../../gen/ts/clickmesh/v1/event_pb.js';
import { EventSchema } from '../../gen/ts/clickmesh/v1/event_pb.js';
import {
  event as eventOption,
  type FieldRule,
  FieldRuleSchema,
  type Role,
  rule as ruleOption,
} from '../../gen/ts/clickmesh/v1/rules_pb.js';

/** The cases of Event: what the REST API calls `event_type`. */
export type EventType = NonNullable<Event['event']['case']>;

/** A field of an event, with what must hold for it. */
export interface FieldShape {
  /** Name in the contract and in REST, such as "user_id". */
  name: string;
  /** Name in TypeScript, such as "userId". */
  localName: string;
  /** In Protobuf. */
  number: number;
  required: boolean;
  /** Absent is not the same as empty: a message without the field has undefined. */
  optional: boolean;
  rule: FieldRule['kind'];
}

type RuleCase = NonNullable<FieldRule['kind']['case']>;
/** A field with a rule of one kind. */
export type FieldWith<C extends RuleCase> = FieldShape & { rule: Extract<FieldRule['kind'], { case: C }> };

/** An event type, as its message and the options in it say. */
export interface EventShape {
  type: EventType;
  /** Field number of its case in Event. */
  number: number;
  role: Role;
  message: DescMessage;
  /** By number. */
  fields: readonly FieldShape[];
  /** The fields of one kind of rule, by number. */
  with: { readonly [C in RuleCase]: readonly FieldWith<C>[] };
  /** The number that the log has as micros in another field, if the event has one. */
  stored: { from: FieldShape; to: FieldShape } | undefined;
}

/** An event ready for the log. */
export interface Accepted {
  /** A UUID in lower case. */
  eventId: string;
  eventType: EventType;
  /** The record's key. */
  userId: string;
  /** The record's value: a serialized Event, normalized. */
  bytes: Uint8Array;
}

/** The event types of a descriptor of Event. Throws an Error for a message that lacks its options. */
export function shapesOf(event: DescMessage, options = { event: eventOption, rule: ruleOption }): EventShape[] {
  const [cases] = event.oneofs;
  return cases!.fields.map(({ name, number, message }) => {
    if (message === undefined || !hasOption(message, options.event)) throw new Error(`${name} has no (event) option`);
    const { role } = getOption(message, options.event);
    const fields = message.fields.map((field) => fieldShape(field, options.rule)).sort((a, b) => a.number - b.number);
    return { type: name as EventType, number, role, message, fields, with: byRule(fields), stored: storedOf(fields) };
  });
}

function fieldShape(field: DescField, option: typeof ruleOption): FieldShape {
  const { name, localName, number } = field;
  const { required, kind } = getOption(field, option);
  if (kind.case === undefined) throw new Error(`${field} has no (rule) of a kind`);
  return { name, localName, number, required, optional: field.proto.proto3Optional, rule: kind };
}

function byRule(fields: readonly FieldShape[]): EventShape['with'] {
  const [kind] = FieldRuleSchema.oneofs;
  const having = kind!.fields.map(({ name }) => [name, fields.filter(({ rule }) => rule.case === name)]);
  return Object.fromEntries(having) as EventShape['with'];
}

function storedOf(fields: readonly FieldShape[]): EventShape['stored'] {
  const from = fields.find(({ rule }) => rule.case === 'number' && rule.value.storedIn !== '');
  if (from?.rule.case !== 'number') return undefined;
  const { storedIn } = from.rule.value;
  const to = fields.find(({ name }) => name === storedIn);
  if (to === undefined || to.number < from.number) throw new Error(`${from.name} must be stored in a field behind it`);
  return { from, to };
}

/** What the contract says of every event type. */
export const EVENTS = Object.fromEntries(shapesOf(EventSchema).map((shape) => [shape.type, shape])) as Readonly<
  Record<EventType, EventShape>
>;
export const EVENT_TYPES = Object.keys(EVENTS) as EventType[];

/** Most bytes of a text of any event; an id that goes back in an answer is cut to it. */
export const MAX_ID_BYTES = Math.max(...allWith('text').map(({ rule }) => rule.value.maxBytes));
/** Earliest time of any event, in ms since 1970-01-01 UTC: catches seconds sent for milliseconds. */
export const MIN_TIMESTAMP_MS = Math.min(...allWith('time').map(({ rule }) => Number(rule.value.minMs)));

function allWith<C extends RuleCase>(kind: C): readonly FieldWith<C>[] {
  return EVENT_TYPES.flatMap((type) => EVENTS[type].with[kind] as readonly FieldWith<C>[]);
}
