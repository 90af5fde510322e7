import { expect, test } from 'vitest';
import { nearbyHint, postHint } from './nearest-path.ts';

const SERVED = [
  '/api/v1/events',
  '/api/v1/events/tail',
  '/click',
  '/conversion',
  '/clickmesh.v1.IngestService/Ingest',
  '/c/{ad_id}',
  '/readyz',
];

test.each([
  ['/api/v1/event', ': the nearest path is /api/v1/events'],
  ['/API/v1/events', ': the nearest path is /api/v1/events'],
  ['/api/v1/events/batch', ': the nearest path is /api/v1/events'],
  ['/api/v1/events/tails', ': the nearest path is /api/v1/events/tail'],
  ['/events', ': the nearest path is /api/v1/events'],
  ['/clicks', ': the nearest path is /click'],
  ['/conversions', ': the nearest path is /conversion'],
  ['/clickmesh.v1.IngestService/ingest', ': the nearest path is /clickmesh.v1.IngestService/Ingest'],
  ['/ready', ': the nearest path is /readyz'],
  ['/mesh/api/v1/events', ': clickmesh was reached, which serves /api/v1/events, without /mesh before it'],
  ['/api/v1/click', ': clickmesh was reached, which serves /click, without /api/v1 before it'],
  ['/', ''],
  ['/wp-login.php', ''],
  [`/api/v1/events${'x'.repeat(10_000)}`, ''],
])('what is near %s%s', (path, hint) => {
  expect(nearbyHint(path, SERVED)).toBe(hint);
});

test.each([
  ['POST', '/', '; POST goes to /api/v1/events or /click'],
  ['GET', '/', ''],
  ['POST', '/click', ''],
])('where a %s to %s goes%s', (method, path, hint) => {
  expect(postHint(method, path, ['/api/v1/events', '/click'])).toBe(hint);
  expect(postHint(method, path, [])).toBe('');
});
