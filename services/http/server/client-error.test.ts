import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { answerClientError } from './client-error.ts';

/** All that is answered to a request whose body never comes whole, until the connection ends. */
async function answered(handle: RequestListener): Promise<string> {
  const times = { headersTimeout: 50, requestTimeout: 50, connectionsCheckingInterval: 10 };
  const server = createServer(times, handle).on('clientError', answerClientError);
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf');
  return text(socket);
}

test('a request that does not come whole in time is answered so', async () => {
  expect(await answered(() => {})).toMatch(/^HTTP\/1.1 408 .*"the request did not come whole in time"}}$/s);
});

test('one that was refused before has no second answer', async () => {
  const refuse: RequestListener = (_, response) => void response.writeHead(429).end('too many');
  expect((await answered(refuse)).match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 429']);
});
