import { create, type DescMethod, fromBinary, fromJson, type Message } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { errorFromJson } from '@connectrpc/connect/protocol-connect';
import { findTrailerError } from '@connectrpc/connect/protocol-grpc';
import type { ServiceError } from '@grpc/grpc-js';
import type { Event } from '../../gen/ts/clickmesh/v1/event_pb.js';
import { IngestRequestSchema, IngestService } from '../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { grpcJsClient } from '../fixtures/grpc-js-client.ts';
import { rawClient } from '../fixtures/raw-request.ts';

export type Codec = 'proto' | 'json';

/** Calls a method with messages that are encoded already; the answer or the error, as clients have them. */
export type Call = (method: DescMethod, codec: Codec, messages: readonly Buffer[]) => Promise<Message | ConnectError>;

export interface Calls {
  connect: Call;
  /** Enveloped, as Connect sends streams. */
  connectStream: Call;
  grpc: Call;
  grpcWeb: Call;
  /** Ingest by @grpc/grpc-js. */
  grpcJs(event: Event): Promise<Message | ConnectError>;
  close(): void;
}

/** Flags of the last frame of an answer. */
const CONNECT_END = 2;
const GRPC_WEB_TRAILERS = 0x80;

export function callsTo(url: string): Calls {
  const client = rawClient(url);
  const grpcJs = grpcJsClient(IngestService, new URL(url).host);
  return {
    async connect(method, codec, [message]) {
      const { status, body } = await post(url, method, `application/${codec}`, message!);
      if (status === 200) return decoded(method, codec, body);
      const json = JSON.parse(body.toString());
      return errorFromJson(json, undefined, new ConnectError(`HTTP ${status}`, Code.Unknown));
    },
    async connectStream(method, codec, messages) {
      const { body } = await post(url, method, `application/connect+${codec}`, framed(messages));
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
      const { body } = await post(url, method, `application/grpc-web+${codec}`, framed(messages));
      const frames = framesOf(body);
      const text = frames.find(({ flags }) => flags === GRPC_WEB_TRAILERS)!.data.toString();
      const pairs = text
        .trim()
        .split('\r\n')
        .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]);
      return findTrailerError(new Headers(pairs as [string, string][])) ?? decoded(method, codec, frames[0]!.data);
    },
    grpcJs(event) {
      const { promise, resolve } = Promise.withResolvers<Message | ConnectError>();
      const answered = (error: ServiceError | null, response: Message) => resolve(error ? errorOf(error) : response);
      grpcJs.ingest!(create(IngestRequestSchema, { event }), answered);
      return promise;
    },
    close() {
      client.close();
      grpcJs.close();
    },
  };
}

/** The error with the details in its metadata, and the text that it shows. */
function errorOf({ code, details, metadata }: ServiceError): ConnectError {
  const trailers = new Headers({ 'grpc-status': String(code), 'grpc-message': encodeURIComponent(details) });
  for (const bytes of metadata.get('grpc-status-details-bin')) {
    trailers.set('grpc-status-details-bin', Buffer.from(bytes).toString('base64'));
  }
  return findTrailerError(trailers)!;
}

async function post(url: string, method: DescMethod, type: string, body: Buffer) {
  const headers = { 'content-type': type };
  const response = await fetch(`${url}${pathOf(method)}`, { method: 'POST', headers, body: Uint8Array.from(body) });
  return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
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
