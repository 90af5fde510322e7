import type { EventType } from '../../contract/event-rules.ts';
import type { RouteDescription } from '../../http/routes/http-routes.ts';

/** A route that takes events. */
export interface EventRoute extends RouteDescription {
  /** Type of the events that name none; without it they must. */
  impliedType?: EventType;
}

const ANSWERS = {
  202: { description: 'At least one was accepted; those are durable.', schemas: ['RestResults'] },
  400: { description: 'None was accepted, or the body could not be read.', schemas: ['RestResults', 'RestError'] },
  413: { description: 'The body has more than 1 MiB, as sent or decompressed.', schemas: ['RestError'] },
  415: { description: 'The content-type or content-encoding is none that is taken.', schemas: ['RestError'] },
  default: { description: 'Nothing was accepted. 429 and 503 carry Retry-After.', schemas: ['RestError'] },
};

/** Routes for events of these types. They are also read while gen/ is made anew, so nothing here imports from there. */
export function eventRoutes(types: readonly EventType[]): EventRoute[] {
  const all = {
    method: 'POST',
    path: '/api/v1/events',
    summary: 'Takes one event or up to 1,000, each accepted or rejected by itself.',
    openapi: { operationId: 'postEvents', events: 'RestEvent', answers: ANSWERS },
  };
  const ofOneType = types.map((type) => {
    const name = type[0]!.toUpperCase() + type.slice(1);
    return {
      method: 'POST',
      path: `/${type}`,
      summary: `Takes events of type ${type} as /api/v1/events does; event_type may be left out.`,
      openapi: { operationId: `post${name}s`, events: `Rest${name}`, answers: ANSWERS },
      impliedType: type,
    };
  });
  return [all, ...ofOneType];
}
