export { connect, createSender } from './connection-web.ts';
export { watch } from './page.ts';
export { indexedDbStore as openStore } from './store-indexeddb.ts';

/** Pages are not ended by signals. */
export const watchSigterm = undefined;
