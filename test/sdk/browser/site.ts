import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { IngestClient } from '../../../gen/ts/src/ingest-client.ts';
import type { Page } from './chromium.ts';

/** What a page for the tests has in its window. */
declare global {
  var clickmesh: typeof import('../../../gen/ts/src/ingest.ts');
  var client: IngestClient;
}

/** A name that is this machine, and no secure context. */
export const PLAIN_HOST = 'shop.test';
/** With it Chromium knows that name. */
export const KNOWS_PLAIN_HOST = `--host-resolver-rules=MAP ${PLAIN_HOST} 127.0.0.1`;

/** The client for pages, once it is built. */
export const SCRIPT = 'gen/ts/dist/ingest.min.js';

const PAGE = `<!doctype html><title>page</title><script type="module">
  globalThis.clickmesh = await import('/ingest.min.js');
  globalThis.isLoaded = true;
</script>`;

/** A site of pages that have the client for pages; `/readme?…` is the page that follows it. */
export interface Site extends AsyncDisposable {
  url(host?: string): string;
}

export async function startSite(): Promise<Site> {
  // Other tests may build it anew meanwhile.
  const script = readFileSync(SCRIPT);
  const server = createServer((request, response) => {
    const isScript = request.url === '/ingest.min.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    const page = request.url!.startsWith('/readme?') ? decodeURIComponent(request.url!.slice('/readme?'.length)) : PAGE;
    response.end(isScript ? script : page);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: (host = '127.0.0.1') => `http://${host}:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Opens a page of the site, with a client of the gateway at the address. */
export async function openClient(page: Page, siteUrl: string, address: string): Promise<void> {
  await page.goto(siteUrl);
  await page.evaluate(async (url) => {
    while (!('isLoaded' in globalThis)) await new Promise((resolve) => setTimeout(resolve, 10));
    globalThis.client = clickmesh.connectClickmesh(url, { logger: null });
  }, address);
}
