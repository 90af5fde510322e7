import type { RouteDescription } from '../http/routes/http-routes.ts';

/** GetStats over plain HTTP. Nothing here imports from gen/, which is generated from this, too. */
export const GET_STATS: RouteDescription = {
  method: 'GET',
  path: '/api/v1/stats',
  summary: 'Clicks, conversions, revenue and conversion rate by period, campaign and source.',
  safe: true,
  openapi: {
    operationId: 'getStats',
    query: 'GetStatsRequest',
    answers: {
      200: { description: 'The statistics.', schemas: ['RestStats'] },
      default: { description: 'They could not be read.', schemas: ['RestError'] },
    },
  },
};
