import { createConnectTransport } from '@connectrpc/connect-web';
import { headersOf, type Settings } from './options.ts';
import type { Sender } from './sender.ts';
import { FetchSender } from './sender-fetch.ts';
import type { Connection } from './sender-protobuf.ts';

/** Connect over fetch. */
export function connect(baseUrl: string, settings: Settings): Connection {
  const transport = createConnectTransport({
    baseUrl,
    useBinaryFormat: true,
    interceptors: [
      (next) => async (request) => {
        for (const [name, text] of Object.entries(await headersOf(settings))) request.header.set(name, text);
        return next(request);
      },
    ],
  });
  return { transport, reset() {}, close() {} };
}

export function createSender(url: string, settings: Settings): Sender {
  return new FetchSender(url, settings);
}
