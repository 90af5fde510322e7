import { expect, test } from 'vitest';
import { banner } from './banner.ts';

test.each([
  ['127.0.0.1', false],
  ['127.1.2.3', false],
  ['localhost', false],
  ['LOCALHOST', false],
  ['::1', false],
  ['0.0.0.0', true],
  ['::', true],
  ['192.168.0.7', true],
  ['127.0.0.1.example.com', true],
  ['localhost.example.com', true],
  ['1127.0.0.1', true],
])('HOST=%s: the banner says that nothing guards the port: %s', (HOST, isSaid) => {
  const text = banner('http://there:8080', { DATA_DIR: './data', HOST });
  expect(text.includes('nothing guards the port yet')).toBe(isSaid);
});
