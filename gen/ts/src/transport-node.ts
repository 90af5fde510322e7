import type { Transport } from '@connectrpc/connect';
import { compressionGzip, createConnectTransport } from '@connectrpc/connect-node';

/** Connect over HTTP/2, with gzip for what is worth it. */
export function createTransport(baseUrl: string): Transport {
  return createConnectTransport({ baseUrl, httpVersion: '2', sendCompression: compressionGzip });
}
