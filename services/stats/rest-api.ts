import type { RouteDescription } from '../http/routes/http-routes.ts';

/** Forms of a report, with their content types. */
export const REPORT_TYPES = { json: 'application/json', ndjson: 'application/x-ndjson', csv: 'text/csv' } as const;

/** Parameters of a report that say how it is written. */
export const REPORT_FORMS = {
  format: { description: 'Instead of the header accept.', values: Object.keys(REPORT_TYPES) },
  raw: { description: "CSV's cells as they are, even those that a spreadsheet would run.", values: ['false', 'true'] },
  bom: { description: 'CSV begins with a byte order mark.', values: ['false', 'true'] },
} as const;

/** StatsService over plain HTTP. Nothing here imports from gen/, which is generated from this, too. */
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

/** TailEvents as server-sent events. */
export const TAIL_EVENTS: RouteDescription = {
  method: 'GET',
  path: '/api/v1/events/tail',
  summary: 'Events as they arrive, as server-sent events: each has a TailEventsResponse as its data.',
  safe: true,
  openapi: {
    operationId: 'tailEvents',
    query: 'TailEventsRequest',
    answers: {
      200: { description: 'The stream.', type: 'text/event-stream', schemas: ['TailEventsResponse'] },
      default: { description: 'It could not be read.', schemas: ['RestError'] },
    },
  },
};

export const RUN_REPORT: RouteDescription = {
  method: 'GET',
  path: '/api/v1/report',
  summary: 'Measures by any dimensions, by period, under several models side by side, with totals and how they count.',
  safe: true,
  openapi: {
    operationId: 'runReport',
    query: 'RunReportRequest',
    forms: REPORT_FORMS,
    answers: {
      200: {
        ...{ description: 'The report.', schemas: ['RestReport'] },
        texts: [REPORT_TYPES.ndjson, REPORT_TYPES.csv],
      },
      default: { description: 'It could not be made.', schemas: ['RestError'] },
    },
  },
};

/** WatchReport as server-sent events. */
export const WATCH_REPORT: RouteDescription = {
  method: 'GET',
  path: '/api/v1/report/watch',
  summary:
    'A report whenever it changed, as server-sent events: `report` has what GET /api/v1/report answers, `heartbeat` how ' +
    'far it goes. Last-Event-ID goes on from there.',
  safe: true,
  openapi: {
    operationId: 'watchReport',
    query: 'RunReportRequest',
    answers: {
      200: { description: 'The stream.', type: 'text/event-stream', schemas: ['RestReport'] },
      default: { description: 'It could not be made.', schemas: ['RestError'] },
    },
  },
};
