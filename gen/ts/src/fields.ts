import { EVENT_RULES, type FieldRule } from './event-rules.ts';
import type { EventType } from './events.ts';

/** An event type as the table of its rules has it, with the fields that each check looks at. */
export interface Shape {
  type: EventType;
  rules: readonly FieldRule[];
  byName: ReadonlyMap<string, FieldRule>;
  /** Kept as they are written, or standing for what is. */
  texts: readonly FieldRule[];
  /** All that hold text. */
  written: readonly FieldRule[];
  required: readonly FieldRule[];
  ids: readonly FieldRule[];
  choices: readonly FieldRule[];
  times: readonly FieldRule[];
  numbers: readonly FieldRule[];
  integers: readonly FieldRule[];
  maps: readonly FieldRule[];
  /** The number that may be sent as micros in another field, if the event has one. */
  money: { from: FieldRule; to: FieldRule } | undefined;
}

export const SHAPES = Object.fromEntries(
  (Object.keys(EVENT_RULES) as EventType[]).map((type) => [type, shapeOf(type)]),
) as Readonly<Record<EventType, Shape>>;

function shapeOf(type: EventType): Shape {
  const rules = EVENT_RULES[type];
  const of = (...kinds: FieldRule['kind'][]) => kinds.flatMap((kind) => rules.filter((rule) => rule.kind === kind));
  const from = rules.find(({ storedIn }) => storedIn !== undefined);
  const to = rules.find(({ name }) => name === from?.storedIn);
  return {
    type,
    rules,
    byName: new Map(rules.map((rule) => [rule.localName, rule])),
    texts: of('uuid', 'text'),
    written: of('uuid', 'text', 'choice', 'currency'),
    required: rules.filter(({ required }) => required),
    ids: of('uuid', 'text').filter(({ kind, isId }) => kind === 'uuid' || isId),
    choices: of('choice'),
    times: of('time'),
    numbers: of('number'),
    integers: of('integer'),
    maps: of('map'),
    money: from && to && { from, to },
  };
}

export function isEventType(type: unknown): type is EventType {
  return typeof type === 'string' && Object.hasOwn(SHAPES, type);
}
