import { readFileSync } from 'node:fs';
import type { HttpRoute } from '../routes/http-routes.ts';

const DOCUMENT = readFileSync(new URL('../../../gen/openapi/openapi.json', import.meta.url));

/** `GET /openapi.json`: everything that takes plain JSON, generated from the contracts and the routes. */
export const openapiRoute: HttpRoute = {
  method: 'GET',
  path: '/openapi.json',
  summary: 'This API as OpenAPI 3.1.',
  safe: true,
  handle: async () => ({ status: 200, headers: { 'content-type': 'application/json' }, body: DOCUMENT }),
};
