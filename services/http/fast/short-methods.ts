import type { DescMethod, Message } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import type { ConnectRouter, ConnectRouterOptions, HandlerContext } from '@connectrpc/connect';

/**
 * A unary method for serialized requests: returns a serialized answer, or undefined for a request that it leaves to the
 * method proper. It throws, and rejects with, what that one would.
 */
export type BytesMethod = (request: Buffer) => Promise<Uint8Array> | undefined;

/** A client-streaming method for serialized requests; it leaves none to the method proper. */
export type BytesStreamMethod = (requests: AsyncIterable<Uint8Array>) => Promise<Uint8Array>;

export interface UnaryMethod {
  desc: DescMethod;
  path: string;
  /** Returns a message, or the initializer of one. */
  handle(request: Message, context?: HandlerContext): Promise<Message> | Message;
  bytesPath: BytesMethod | undefined;
  /** Whether it has a second parameter. Others get no context, because that costs more than all the rest of a call. */
  takesContext: boolean;
  json: ConnectRouterOptions['jsonOptions'];
}

/** The methods that may take a short way, by their paths. */
export interface ShortMethods {
  /** Without queries: they take the long way, because their answers may be worth compressing. */
  unary: Map<string, UnaryMethod>;
  streams: Map<string, BytesStreamMethod>;
}

/** Methods for serialized requests, by the methods proper that they stand for. */
const bytesMethods = new WeakMap<object, BytesMethod>();
const bytesStreamMethods = new WeakMap<object, BytesStreamMethod>();

/**
 * Notes that a unary method has a shorter way for Protobuf, past the objects of requests and answers. It must answer as
 * the method does, which is all that other formats get.
 */
export function withBytesPath<M extends object>(method: M, bytesPath: BytesMethod): M {
  bytesMethods.set(method, bytesPath);
  return method;
}

export function withByteStreamPath<M extends object>(method: M, bytesPath: BytesStreamMethod): M {
  bytesStreamMethods.set(method, bytesPath);
  return method;
}

/** A router that also notes the methods that may take a short way. */
export function watchRouter(router: ConnectRouter, { unary, streams }: ShortMethods): ConnectRouter {
  return {
    ...router,
    get handlers() {
      return router.handlers;
    },
    service(service, implementation, options) {
      for (const desc of service.methods) {
        const method = (implementation as Record<string, unknown>)[desc.localName];
        if (typeof method !== 'function') continue;
        const path = `/${service.typeName}/${desc.name}`;
        const stream = bytesStreamMethods.get(method);
        if (stream !== undefined) streams.set(path, stream);
        if (desc.methodKind !== 'unary' || desc.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS)
          continue;
        const handle = method.bind(implementation) as UnaryMethod['handle'];
        const [bytesPath, takesContext] = [bytesMethods.get(method), method.length > 1];
        unary.set(path, { desc, path, handle, bytesPath, takesContext, json: options?.jsonOptions });
      }
      router.service(service, implementation, options);
      return this;
    },
  };
}
