import { type DescMethod, fromBinary, fromJson, type Message } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { errorFromJson } from '@connectrpc/connect/protocol-connect';
import { findTrailerError } from '@connectrpc/connect/protocol-grpc';
import { IngestService } from '../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { type RawClient, rawClient } from '../fixtures/raw-request.ts';

export type Codec = 'proto' | 'json';

/** Calls a method with messages that are encoded already; the answer or the error, as clients have them. */
export type Call = (method: DescMethod, codec: Codec, messages: readonly Buffer[]) => Promise<Message | ConnectError>;

export interface Calls {
  connect: Call;
  /** Enveloped, as Connect sends streams. */
  connectStream: Call;
  grpc: Call;
  grpcWeb: Call;
  close(): void;
}

/** Flags of the last frame of an answer. */
const CONNECT_END = 2;
const GRPC_WEB_TRAILERS = 0x80;

export function callsTo(url: string): Calls {
  const client = rawClient(url);
  return {
    async connect(method, codec, [message]) {
      const { status, body } = await post(client, method, `application/${codec}`, message!);
      if (status === 200) return decoded(method, codec, body);
      const json = JSON.parse(body.toString());
      return errorFromJson(json, undefined, new ConnectError(`HTTP ${status}`, Code.Unknown));
    },
    async connectStream(method, codec, messages) {
      const { body } = await post(client, method, `application/connect+${codec}`, framed(messages));
      const frames = framesOf(body);
      const end = JSON.parse(frames.find(({ flags }) => flags === CONNECT_END)!.data.toString());
      if (end.error === undefined) return decoded(method, codec, frames[0]!.data);
      return errorFromJson(end.error, undefined, new ConnectError('no error', Code.Unknown));
    },
    async grpc(method, codec, messages) {
      const headers = { 'content-type': `application/grpc+${codec}`, te: 'trailers' };
      const answer = await client.http2({ method: 'POST', path: pathOf(method), headers, body: framed(messages) });
      const trailers = new Headers(answer.headers as Record<string, string>);
      return findTrailerError(trailers) ?? decoded(method, codec, framesOf(answer.body)[0]!.data);
    },
    async grpcWeb(method, codec, messages) {
      const { body } = await post(client, method, `application/grpc-web+${codec}`, framed(messages));
      const frames = framesOf(body);
      const text = frames.find(({ flags }) => flags === GRPC_WEB_TRAILERS)!.data.toString();
      const pairs = text
        .trim()
        .split('\r\n')
        .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]);
      return findTrailerError(new Headers(pairs as [string, string][])) ?? decoded(method, codec, frames[0]!.data);
    },
    close: () => client.close(),
  };
}

function post(client: RawClient, method: DescMethod, type: string, body: Buffer) {
  return client.whole({ method: 'POST', path: pathOf(method), headers: { 'content-type': type }, body });
}

function pathOf({ name }: DescMethod): string {
  return `/${IngestService.typeName}/${name}`;
}

function decoded({ output }: DescMethod, codec: Codec, body: Buffer): Message {
  return codec === 'proto' ? fromBinary(output, body) : fromJson(output, JSON.parse(body.toString()));
}

/** Puts a byte of flags and the length before each message. */
function framed(messages: readonly Buffer[]): Buffer {
  return Buffer.concat(
    messages.flatMap((message) => {
      const head = Buffer.alloc(5);
      head.writeUInt32BE(message.length, 1);
      return [head, message];
    }),
  );
}

function framesOf(body: Buffer): { flags: number; data: Buffer }[] {
  const frames: { flags: number; data: Buffer }[] = [];
  for (let at = 0; at < body.length; ) {
    const end = at + 5 + body.readUInt32BE(at + 1);
    frames.push({ flags: body[at]!, data: body.subarray(at + 5, end) });
    at = end;
  }
  return frames;
}
