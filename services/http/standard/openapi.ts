import { readFileSync } from 'node:fs';
import type { HttpRoute } from '../routes/http-routes.ts';

const DOCUMENT = readFileSync(new URL('../../../gen/openapi/openapi.json', import.meta.url));

/** `GET /openapi.json`: what takes plain JSON, generated from the contracts. */
export const openapiRoute: HttpRoute = {
  method: 'GET',
  path: '/openapi.json',
  handle: async () => ({ status: 200, headers: { 'content-type': 'application/json' }, body: DOCUMENT }),
};
