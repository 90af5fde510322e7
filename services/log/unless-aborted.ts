/** Resolves with the answer; with undefined if `stop` aborts before it: then the answer is dropped. */
export async function unlessAborted<T>(stop: AbortSignal, answer: Promise<T>): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const abort = () => resolve(undefined);
  stop.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([answer, promise]);
  } finally {
    stop.removeEventListener('abort', abort);
  }
}
