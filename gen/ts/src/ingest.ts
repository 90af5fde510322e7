import { IngestClient } from './ingest-client.ts';
import { addressOf, type ClickmeshOptions, settingsOf } from './options.ts';
import { watch } from './page.ts';
import { acceptingSender } from './sender.ts';
import { FetchSender } from './sender-fetch.ts';
import { indexedDbStore } from './store-indexeddb.ts';

export { IngestClient } from './ingest-client.ts';
export * from './shared.ts';

/**
 * A client of the gateway at `url` that sends events by fetch and does nothing else: small, for pages. Throws a
 * TypeError for an address or an option that can't be.
 */
export function connectClickmesh(url: string, options: ClickmeshOptions = {}): IngestClient {
  const address = addressOf(url);
  const settings = settingsOf(options);
  if (settings.protocol === 'grpc') throw new TypeError('protocol must be "connect" here: browsers can\'t speak gRPC');
  const isStoring = settings.store !== undefined && !settings.disabled;
  return new IngestClient(settings, {
    sender: settings.disabled ? acceptingSender() : new FetchSender(address, settings),
    store: isStoring ? indexedDbStore(settings.store!, settings.storeBytes) : undefined,
    watch,
  });
}
