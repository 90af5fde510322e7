import type { IncomingHttpHeaders } from 'node:http';
import {
  type DescMessage,
  type DescMethodStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import type { ConnectRouter } from '@connectrpc/connect';
import type { Format } from '../exchange/protocol.ts';

/** Takes a request as it came, and returns the answer in Protobuf. Rejects with what the call is to fail with. */
export type CallBytes = (request: Buffer, format: Format, headers: IncomingHttpHeaders) => Promise<Uint8Array>;
/** As CallBytes, of a stream of requests. */
export type CallByteStream = (requests: AsyncIterable<Buffer>, format: Format) => Promise<Uint8Array>;

/** A method that takes bytes, by itself or in a stream, and the message that it answers with. */
export interface BytesMethod {
  output: DescMessage;
  call: { unary: CallBytes; stream?: undefined } | { unary?: undefined; stream: CallByteStream };
}

type Request<I extends DescMessage> = MessageShape<I>;
type Answer<O extends DescMessage> = Promise<MessageShape<O>>;

/** By the methods of messages that stand for them in a service. */
const bytesMethods = new WeakMap<object, BytesMethod>();

/**
 * Makes a method of a service from one that takes bytes. This server gives it the bytes of every protocol; whatever
 * else the service is registered with calls the method of messages that is returned.
 */
export function bytesMethod<I extends DescMessage, O extends DescMessage>(
  { input, output }: DescMethodUnary<I, O>,
  unary: CallBytes,
): (request: Request<I>) => Answer<O> {
  const method = async (request: Request<I>) =>
    fromBinary(output, await unary(Buffer.from(toBinary(input, request)), 'proto', {}));
  bytesMethods.set(method, { output, call: { unary } });
  return method;
}

export function byteStreamMethod<I extends DescMessage, O extends DescMessage>(
  { input, output }: DescMethodStreaming<I, O>,
  stream: CallByteStream,
): (requests: AsyncIterable<Request<I>>) => Answer<O> {
  async function* serialized(requests: AsyncIterable<Request<I>>) {
    for await (const request of requests) yield Buffer.from(toBinary(input, request));
  }
  const method = async (requests: AsyncIterable<Request<I>>) =>
    fromBinary(output, await stream(serialized(requests), 'proto'));
  bytesMethods.set(method, { output, call: { stream } });
  return method;
}

/** A router that also notes the methods that take bytes, by their paths. */
export function watchRouter(router: ConnectRouter, methods: Map<string, BytesMethod>): ConnectRouter {
  return {
    ...router,
    get handlers() {
      return router.handlers;
    },
    service(service, implementation, options) {
      for (const { localName, name } of service.methods) {
        const method = (implementation as Record<string, object | undefined>)[localName];
        const bytes = method && bytesMethods.get(method);
        if (bytes !== undefined) methods.set(`/${service.typeName}/${name}`, bytes);
      }
      router.service(service, implementation, options);
      return this;
    },
  };
}
