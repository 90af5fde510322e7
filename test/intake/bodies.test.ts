import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway, type TestGateway } from '../fixtures/gateway.ts';
import { rawClient } from '../fixtures/raw-request.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

interface BodyCase {
  method: string;
  path: string;
  headers: Record<string, string>;
  coding: string;
  /** A character for each byte. */
  body: string;
  status: number;
  answer: string;
}

const CODINGS: Readonly<Record<string, (body: string) => Buffer>> = {
  '': latin1,
  gzip: (body) => gzipSync(latin1(body)),
  'gzip-lines': (body) => Buffer.concat(body.split(/(?<=\n)/).map((line) => gzipSync(latin1(line)))),
  'gzip-cut': (body) => gzipSync(latin1(body)).subarray(0, -20),
  deflate: (body) => deflateSync(latin1(body)),
  br: (body) => brotliCompressSync(latin1(body)),
  zstd: (body) => zstdCompressSync(latin1(body)),
  'utf-16le': (body) => Buffer.from(body, 'utf16le'),
};

function latin1(body: string): Buffer {
  return Buffer.from(body, 'latin1');
}

/** Reads a table, whose format stands at its head. */
function readBodies(path: string): [name: string, BodyCase][] {
  const text = readFileSync(path, 'latin1').replaceAll(/^#.*\n/gm, '');
  return text
    .trim()
    .split(/\n+(?=[A-Z]+ \/)/)
    .map((block) => [block.replaceAll(/\n\s*/g, ' ').slice(0, 150), readBody(block.split('\n'))]);
}

function readBody([request, ...lines]: string[]): BodyCase {
  const [method, path] = request!.split(' ') as [string, string];
  const bodyLines = lines.flatMap((line) => /^ {2}([a-z0-9-]*) ?\| ?(.*)$/.exec(line)?.slice(1) ?? []);
  const body = bodyLines.filter((_, i) => i % 2 === 1).join('\n');
  const headers = lines.flatMap((line) => {
    const [, name, value] = /^ {2}([a-z-]+): (.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, value!]];
  });
  const [, status, answer] = /^ {2}(\d{3}) ?(.*)$/.exec(lines.at(-1)!) ?? [];
  const coding = bodyLines[0] ?? '';
  return { method, path, headers: Object.fromEntries(headers), coding, body, status: Number(status), answer: answer! };
}

const GOOD: Readonly<Record<string, () => string>> = {
  click: () => `{"event_type":"click",${fields()},"ad_id":"a","campaign_id":"c"}`,
  conversion: () => `{"event_type":"conversion",${fields()},"type":"purchase"}`,
  Click: () => `{"click":{${fields()},"ad_id":"a","campaign_id":"c"}}`,
  bom: () => '\xef\xbb\xbf',
};

function fields(): string {
  return `"event_id":"${randomUUID()}","user_id":"u","source":"s","timestamp":1678886400000`;
}

function expanded(body: string): string {
  return body
    .replaceAll(/\\x([0-9a-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replaceAll(/< \*(\d+)>/g, (_, times) => ' '.repeat(Number(times)))
    .replaceAll(/<(\w+)(?:\*(\d+))?>/g, (_, name, times = '1') =>
      Array.from({ length: Number(times) }, GOOD[name]!).join(','),
    );
}

test.each(readBodies(join(import.meta.dirname, 'bodies.txt')))('%s', async (_, one) => {
  const { method, path, headers, coding, body, status, answer } = one;
  const client = rawClient(gateway.url);
  const answered = await client.whole({ method, path, headers, body: CODINGS[coding]!(expanded(body)) });
  client.close();
  const text = `${JSON.stringify(answered.headers)} ${answered.body}`;
  expect(answered.status, text).toBe(status);
  expect(text).toContain(answer);
});
