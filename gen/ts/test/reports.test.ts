import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { connectClickmesh } from 'clickmesh-client/ingest';

/** A gateway that takes every event but the second of a batch. */
const RESULTS = [{ accepted: {} }, { rejected: { field: 'user_id', message: 'user_id is refused' } }, { accepted: {} }];
const server = createServer((request, response) => {
  request.resume();
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ results: RESULTS }));
});
const FAILING: [how: string, onError: () => void][] = [
  ['throws', () => assert.fail('at once')],
  // String() throws as well.
  ['throws what is no text', () => fail(Object.create(null))],
  ['fails later', async () => assert.fail('later')],
];

function fail(thrown: unknown): never {
  throw thrown;
}

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
after(() => {
  server.close();
  server.closeAllConnections();
});

for (const [how, onError] of FAILING) {
  test(`an onError that ${how} changes nothing for the events of its batch`, async () => {
    const lines: string[] = [];
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = connectClickmesh(url, { onError, logger: (line) => lines.push(line) });
    const click = { type: 'click', userId: 'u', adId: 'a', campaignId: 'c', source: 's' } as const;
    const answers = await Promise.allSettled(RESULTS.map(() => client.track(click)));
    assert.deepEqual(
      answers.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    await client.close();
    assert.deepEqual(client.counters(), { queued: 3, sent: 2, rejected: 1, lost: 0, stored: 0, waiting: 0 });
    assert.match(lines.join(), /told to an onError that failed/);
  });
}
