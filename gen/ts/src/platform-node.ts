export { connect, createSender } from './connection-node.ts';
export { watch, watchSigterm } from './process-end.ts';
export { folderStore as openStore } from './store-folder.ts';
