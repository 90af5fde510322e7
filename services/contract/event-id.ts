import { hash } from 'node:crypto';

/** Namespace of the UUIDs that stand for event ids of other forms; event.proto names it to clients. */
export const EVENT_ID_NAMESPACE = '25398fb8-3422-5e94-8f3f-243876f82bf9';

const NAMESPACE_BYTES = Buffer.from(EVENT_ID_NAMESPACE.replaceAll('-', ''), 'hex');
const CANONICAL = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** With dashes or without, in braces as .NET writes it, or as a URN (RFC 9562, section 4). */
const SPELLING =
  /^(?:urn:uuid:)?(\{?)([0-9a-f]{8})(-?)([0-9a-f]{4})\3([0-9a-f]{4})\3([0-9a-f]{4})\3([0-9a-f]{12})(\}?)$/i;

/**
 * The UUID under which an event with this id is stored and found: of a UUID in any usual spelling that UUID in lower
 * case, of any other text its UUIDv5 in EVENT_ID_NAMESPACE.
 */
export function storedEventId(id: string): string {
  return CANONICAL.test(id) ? id : (spelledUuid(id) ?? nameUuid(id));
}

/** The UUID in lower case that a text spells; undefined if it spells none. */
export function spelledUuid(text: string): string | undefined {
  const match = SPELLING.exec(text);
  if (match === null || (match[1] === '') !== (match[8] === '')) return undefined;
  return `${match[2]}-${match[4]}-${match[5]}-${match[6]}-${match[7]}`.toLowerCase();
}

/** UUIDv5 (RFC 9562, section 5.5): of the SHA-1 of namespace and name, with the version and the variant set. */
function nameUuid(name: string): string {
  const bytes = hash('sha1', Buffer.concat([NAMESPACE_BYTES, Buffer.from(name)]), 'buffer');
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
