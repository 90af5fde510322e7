import type { Transport } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';

/** Browsers refuse more than 64 KiB of such requests at a time. */
const MAX_KEEPALIVE_BYTES = 60_000;

/** Connect over fetch. What is sent as the page goes away still arrives, if it is small. */
export function createTransport(baseUrl: string): Transport {
  return createConnectTransport({
    baseUrl,
    useBinaryFormat: true,
    fetch: (input, init) => fetch(input, { ...init, keepalive: isSmall(init?.body) }),
  });
}

function isSmall(body: BodyInit | null | undefined): boolean {
  return body instanceof Uint8Array && body.byteLength <= MAX_KEEPALIVE_BYTES;
}
