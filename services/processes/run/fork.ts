import cluster, { type Worker } from 'node:cluster';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../cli/clickmesh.js', import.meta.url));

/**
 * Starts `clickmesh COMMAND` as a process that may share ports with others of this one: this process accepts, and hands
 * connections on in turn. It ends when this process does, however that is.
 */
export function forkWorker(command: string, env: NodeJS.ProcessEnv): Worker {
  cluster.setupPrimary({ exec: CLI, args: [command] });
  const worker = cluster.fork(env);
  closeWhatItDidNotTake(worker);
  // A message that a dying worker does not get is no error: its end is reported anyway.
  worker.on('error', () => {});
  return worker;
}

/**
 * A connection stays open in this process until the worker says that it has it, which a killed one never does: its
 * client would wait for an answer forever. No more than one is on its way to a worker, and closing twice does nothing.
 */
function closeWhatItDidNotTake({ process: child }: Worker): void {
  let last: { close?(): void } | undefined;
  const send = child.send;
  child.send = (...args: unknown[]) => {
    const [, handle] = args;
    if (typeof handle === 'object' && handle !== null) last = handle;
    return Reflect.apply(send, child, args);
  };
  // A connection that an ending worker refused goes to another. Removed first, as node:cluster then sends the next.
  child.prependListener('internalMessage', ({ accepted }: { accepted?: boolean }) => {
    if (accepted !== undefined) last = undefined;
  });
  child.once('exit', () => last?.close?.());
}
