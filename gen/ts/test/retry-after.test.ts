import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { click, connectClickmesh, SendFailed } from 'clickmesh-client';
import { connectClickmesh as connectIngest } from 'clickmesh-client/ingest';

/** A gateway that is away, and asks for more time than a call has: so that it is tried once, and else again. */
const ASKED: [name: string, headers: Record<string, string>, details: object[]][] = [
  ['by retry-after, in seconds', { 'retry-after': '50' }, []],
  ['by retry-after, as a date', { 'retry-after': new Date(Date.now() + 600_000).toUTCString() }, []],
  ['by a RetryInfo', {}, [{ type: 'google.rpc.DebugInfo', value: 'EgFh' }, { type: 'google.rpc.RetryInfo', value: 'CgQIMhAB' }]],
];
const UNASKED: typeof ASKED = [
  ['by nothing', {}, []],
  ['by what is no RetryInfo', { 'retry-after': 'soon' }, [{ type: 'google.rpc.RetryInfo', value: '!' }]],
];
const AWAY = { code: 'unavailable', message: 'as asked' };
const event = click({ userId: 'u', adId: 'a', campaignId: 'c', source: 's' });

let answer: { headers: Record<string, string>; details: object[] };
const server = createServer((request, response) => {
  request.resume();
  response.writeHead(503, { 'content-type': 'application/json', ...answer.headers });
  response.end(JSON.stringify({ ...AWAY, details: answer.details }));
});

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
after(() => {
  server.close();
  server.closeAllConnections();
});

for (const [way, connect] of [
  ['a server', connectClickmesh],
  ['a page', connectIngest],
] as const) {
  describe(`${way} waits as long as it is asked to`, () => {
    for (const [name, headers, details] of [...ASKED, ...UNASKED]) {
      test(name, async () => {
        answer = { headers, details };
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
        const client = connect(url, { protocol: 'connect', timeoutMs: 1500, logger: null });
        await assert.rejects(client.send(event), (error) => {
          assert(error instanceof SendFailed);
          const isAsked = ASKED.some(([asked]) => asked === name);
          assert.match(error.message, isAsked ? /after 1 attempt in/ : /after \d+ attempts in/);
          return true;
        });
      });
    }
  });
}
