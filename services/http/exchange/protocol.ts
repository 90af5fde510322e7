import type { IncomingHttpHeaders } from 'node:http';

/** What RPCs are spoken in. Calls of Connect are plain bodies if they are unary, and envelopes if they stream. */
export type Protocol = 'connect' | 'connect-stream' | 'grpc' | 'grpc-web';

/** Format of messages: Protobuf, or its JSON. */
export type Format = 'proto' | 'json';

/** How a call is spoken, which its content type names. */
export interface Dialect {
  protocol: Protocol;
  format: Format;
  /** Headers of the answer: its content type. */
  headers: { readonly 'content-type': string };
}

const PREFIXES: readonly [Protocol, prefix: string][] = [
  ['connect', 'application/'],
  ['connect-stream', 'application/connect+'],
  ['grpc', 'application/grpc+'],
  ['grpc-web', 'application/grpc-web+'],
];

/** By media types in lower case. gRPC and gRPC-Web that name no format mean Protobuf. */
const DIALECTS = new Map<string, Dialect>();
for (const [protocol, prefix] of PREFIXES) {
  for (const format of ['json', 'proto'] as const) {
    const type = prefix + format;
    DIALECTS.set(type, { protocol, format, headers: { 'content-type': type } });
  }
}
for (const type of ['application/grpc', 'application/grpc-web']) DIALECTS.set(type, DIALECTS.get(`${type}+proto`)!);

/** Undefined if the content type names none. */
export function dialectOf({ 'content-type': type }: IncomingHttpHeaders): Dialect | undefined {
  return type === undefined ? undefined : (DIALECTS.get(type) ?? DIALECTS.get(mediaType(type)));
}

/** Content types by which calls of these protocols may be sent. */
export function typesOf(...protocols: readonly Protocol[]): string[] {
  return [...new Set([...DIALECTS.values()].filter(({ protocol }) => protocols.includes(protocol)))].map(
    ({ headers }) => headers['content-type'],
  );
}

/** The content type in lower case, without its parameters. */
export function mediaType(contentType: string): string {
  const [type] = contentType.split(';', 1);
  return type!.trim().toLowerCase();
}
