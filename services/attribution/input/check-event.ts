import type { Event } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { EVENTS } from '../../contract/event-rules.ts';
import { MAX_TIMESTAMP_MS } from '../../contract/limits.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * Why a decoded event can't be folded; undefined if it can. What gateways write always can: the checks keep records of
 * other producers from breaking what the fold and the tables rely on. The SQL of raw_events_queue refuses the same, in
 * the same words.
 */
export function breachOf({ case: type, value }: Event['event']): string | undefined {
  if (type === undefined) return 'unknown event type';
  const { fields, with: having } = EVENTS[type];
  const event = value as unknown as Readonly<Record<string, unknown>>;
  for (const { name, localName } of having.uuid) {
    if (!UUID.test(event[localName] as string)) return `${name} is not a lower-case UUID`;
  }
  const empty = fields.find(
    ({ required, optional, localName }) => required && (optional ? event[localName] === undefined : !event[localName]),
  );
  if (empty !== undefined) return `${empty.name} is empty`;
  for (const { name, localName, rule } of having.time) {
    const time = event[localName] as bigint;
    if (time < rule.value.minMs || time > MAX_TIMESTAMP_MS) return `${name} is out of range`;
  }
  // Keys end their parts with NUL.
  for (const { name, localName } of having.text) {
    if ((event[localName] as string).includes('\0')) return `${name} contains NUL`;
  }
  for (const { name, localName, rule } of having.text) {
    const { maxBytes } = rule.value;
    if (Buffer.byteLength(event[localName] as string) > maxBytes) return `${name} is longer than ${maxBytes} bytes`;
  }
  for (const { name, localName, rule } of having.choice) {
    if (!rule.value.values.includes(event[localName] as string))
      return `${name} is none of ${rule.value.values.join(', ')}`;
  }
  for (const { name, localName, rule } of having.integer) {
    const integer = (event[localName] ?? 0n) as bigint;
    if (integer < 0n || integer > rule.value.max) return `${name} is out of range`;
  }
  return undefined;
}
