/**
 * A unary method for serialized requests: returns a serialized answer, or undefined for a request that it leaves to the
 * method proper. It throws, and rejects with, what that one would.
 */
export type BytesMethod = (request: Buffer) => Promise<Uint8Array> | undefined;

/** A client-streaming method for serialized requests; it leaves none to the method proper. */
export type BytesStreamMethod = (requests: AsyncIterable<Uint8Array>) => Promise<Uint8Array>;

/** Methods for serialized requests, by the methods proper that they stand for. */
const unaryMethods = new WeakMap<object, BytesMethod>();
const streamMethods = new WeakMap<object, BytesStreamMethod>();

/**
 * Notes that a unary method has a shorter way for Protobuf, past the objects of requests and answers. It must answer as
 * the method does, which is all that other formats get.
 */
export function withBytesPath<M extends object>(method: M, bytesPath: BytesMethod): M {
  unaryMethods.set(method, bytesPath);
  return method;
}

export function withByteStreamPath<M extends object>(method: M, bytesPath: BytesStreamMethod): M {
  streamMethods.set(method, bytesPath);
  return method;
}

export function bytesMethodOf(method: object): BytesMethod | undefined {
  return unaryMethods.get(method);
}

export function bytesStreamMethodOf(method: object): BytesStreamMethod | undefined {
  return streamMethods.get(method);
}
