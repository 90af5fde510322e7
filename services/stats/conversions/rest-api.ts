import type { RouteDescription } from '../../http/routes/http-routes.ts';

/** What is asked of conversions over plain HTTP. Nothing here imports from gen/, which is generated from this. */
function route(path: string, operationId: string, message: string, summary: string): RouteDescription {
  return {
    ...{ method: 'GET', path, summary, safe: true },
    openapi: {
      operationId,
      query: `${message}Request`,
      answers: {
        200: { description: 'The answer.', schemas: [`Rest${message}`] },
        default: { description: 'It could not be read.', schemas: ['RestError'] },
      },
    },
  };
}

export const CONVERSIONS_API = {
  listConversions: route(
    '/api/v1/conversions',
    'listConversions',
    'ListConversions',
    'Conversions, credited or not, with what changed them.',
  ),
  explainConversion: route(
    '/api/v1/explain',
    'explainConversion',
    'ExplainConversion',
    'Why a conversion is credited as it is, and what changed it.',
  ),
  listClicks: route('/api/v1/clicks', 'listClicks', 'ListClicks', 'Clicks of a user.'),
  topPaths: route('/api/v1/paths', 'topPaths', 'TopPaths', 'The sequences of touches that conversions came by.'),
  topTouches: route(
    '/api/v1/touches',
    'topTouches',
    'TopTouches',
    'How many conversions had a touch of a campaign, an ad or a source at all.',
  ),
  timeLag: route('/api/v1/time-lag', 'timeLag', 'TimeLag', 'How long after the credited click conversions came.'),
  pathLength: route('/api/v1/path-length', 'pathLength', 'PathLength', 'How many touches conversions had.'),
  listConflicts: route(
    '/api/v1/conflicts',
    'listConflicts',
    'ListConflicts',
    'Events that came again under their event_id with other content, beside what was kept.',
  ),
  listDeadLetters: route(
    '/api/v1/dead-letters',
    'listDeadLetters',
    'ListDeadLetters',
    'Records that could not be counted, with the reason.',
  ),
} as const satisfies Record<string, RouteDescription>;
