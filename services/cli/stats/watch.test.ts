import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { eventsOf, screenText, watched } from './watch.ts';

async function* pieces(...texts: string[]) {
  for (const text of texts) yield Buffer.from(text, 'latin1');
}

async function eventsIn(...texts: string[]) {
  const events = [];
  for await (const event of eventsOf(pieces(...texts))) events.push(event);
  return events;
}

test('events are put together of any pieces', async () => {
  const bytes = Buffer.from(
    'event: report\nid: c1\ndata: {"a": "é: x"}\n\n:\n\nevent: heartbeat\ndata: {}\n\n',
  ).toString('latin1');
  const expected = [
    { type: 'report', id: 'c1', data: '{"a": "é: x"}' },
    { type: 'heartbeat', id: undefined, data: '{}' },
  ];
  expect(await eventsIn(bytes)).toEqual(expected);
  expect(await eventsIn(...bytes)).toEqual(expected);
});

test('a screen keeps its head and totals, and says what it leaves out', () => {
  const table = ['head', 'r1', 'r2', 'r3', 'r4', 'total', 'unattributed', ''].join('\n');
  const shown = (rows: number) =>
    screenText(table, 'fresh', rows)
      .replace('\x1b[?7l\x1b[H', '')
      .replace('\x1b[J\x1b[?7h', '')
      .split('\x1b[K')
      .map((line) => line.trim());
  expect(shown(9)).toEqual(['head', 'r1', 'r2', 'r3', 'r4', 'total', 'unattributed', 'fresh', '']);
  const more = '… 3 more rows than the screen has lines';
  expect(shown(7)).toEqual(['head', 'r1', more, 'total', 'unattributed', 'fresh', '']);
});

test('rows that changed are told by line, over a stream that breaks off; Ctrl-C ends it', async () => {
  const counted = (clicks: number) => ({ clicks, conversions: 1, revenue: 2.5, cvr: null, partial: false });
  const report = (clicks: number) => ({
    rows: [
      { ad_id: 'ad\x1b-1', ...counted(clicks) },
      { ad_id: '', ...counted(7) },
    ],
    ...{ totals: counted(clicks + 7), unattributed: { conversions: 0, revenue: 0, partial: false } },
    stamp: { complete_through: 1_764_547_200_000 },
  });
  const resumed: unknown[] = [];
  const server = createServer((request, response) => {
    resumed.push(request.headers['last-event-id']);
    response.setHeader('content-type', 'text/event-stream');
    response.write(`event: report\nid: c${resumed.length}\ndata: ${JSON.stringify(report(resumed.length))}\n\n`);
    if (resumed.length === 1) setImmediate(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const bin = fileURLToPath(new URL('../clickmesh.js', import.meta.url));
  const days = ['--start', '2025-12-01', '--end', '2025-12-01'];
  const child = spawn(process.execPath, [bin, 'watch', '--by', 'ad_id', ...days, '--url', url]);
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const told: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    told.push(line.replace('2025-12-01T00:00:00.000Z  ', ''));
    if (told.length === 6) child.kill('SIGINT');
  }
  expect(told).toEqual([
    'ad\\u001b-1  clicks 1  conversions 1  revenue 2.5',
    '(none)  clicks 7  conversions 1  revenue 2.5',
    'total  clicks 8  conversions 1  revenue 2.5',
    'unattributed  conversions 0  revenue 0',
    'ad\\u001b-1  clicks 2  conversions 1  revenue 2.5',
    'total  clicks 9  conversions 1  revenue 2.5',
  ]);
  expect(resumed).toEqual([undefined, 'c1']);
  expect(await exited).toBe(0);
  server.close();
  server.closeAllConnections();
});

test('days that are not named go on with the day, from the stream of one to that of the next', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-03-08T23:59:59Z') });
  onTestFinished(() => void vi.useRealTimers());
  const asked: string[] = [];
  const server = createServer(({ url, headers }, response) => {
    const { searchParams } = new URL(url!, 'http://mesh');
    asked.push(`${searchParams.get('start_date')}..${searchParams.get('end_date')} after ${headers['last-event-id']}`);
    response.setHeader('content-type', 'text/event-stream');
    response.write('event: report\nid: c\ndata: {}\n\n');
    vi.setSystemTime(Date.parse('2026-03-09T00:00:00Z'));
    response.write('event: heartbeat\ndata: {}\n\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = new AbortController();
  const read = async () => {
    for await (const _ of watched({ url, timeZone: 'UTC' }, stop.signal)) if (asked.length === 2) stop.abort();
  };
  await expect(read()).rejects.toThrow();
  expect(asked).toEqual(['2026-03-02..2026-03-08 after undefined', '2026-03-03..2026-03-09 after undefined']);
  server.close();
  server.closeAllConnections();
});
