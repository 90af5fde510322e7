import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { type Event, EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';

export type ParsedEvent = { event: Event } | { reason: 'malformed' | 'unknown_event_type'; message: string };

/** Reads one event of the REST format: snake_case fields beside the discriminator `event_type`. */
export function parseEventJson(text: string): ParsedEvent {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      return { reason: 'malformed', message: 'not a JSON object' };
    }
    const { event_type: type, ...fields } = json as Record<string, JsonValue>;
    if (type !== 'click' && type !== 'conversion') {
      return { reason: 'unknown_event_type', message: 'event_type must be "click" or "conversion"' };
    }
    return { event: fromJson(EventSchema, { [type]: fields }, { ignoreUnknownFields: true }) };
  } catch (error) {
    return { reason: 'malformed', message: (error as Error).message };
  }
}
