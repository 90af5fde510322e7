import type { IncomingHttpHeaders } from 'node:http';

/** Head of a request that any HTTP/1.1 server reads the same way. */
export interface Head {
  path: string;
  headers: IncomingHttpHeaders;
  contentLength: number;
}

const START = 'POST ';
const END = ' HTTP/1.1';
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Printable ASCII in lines. */
const PLAIN = /^(?:[\x20-\x7e]+\r\n)*[\x20-\x7e]+$/;
const LENGTH = /^\d{1,9}$/;

/** Headers by which a request travels differently, or asks for something else than an answer. */
const ODD_HEADERS = new Set(['transfer-encoding', 'expect', 'upgrade', 'trailer', 'te', 'proxy-connection']);

/**
 * Reads the head of a POST without its last two line ends. Undefined for whatever is unusual, right or wrong, such as
 * a header twice or without a value, or a target with a query: Node's own parser must then tell.
 */
export function readHead(text: string): Head | undefined {
  if (!PLAIN.test(text)) return undefined;
  const lines = text.split('\r\n');
  const request = lines[0]!;
  if (!request.startsWith(START) || !request.endsWith(END)) return undefined;
  const headers: IncomingHttpHeaders = {};
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]!;
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (!NAME.test(name) || value === '' || name in headers || ODD_HEADERS.has(name)) return undefined;
    headers[name] = value;
  }
  const { host, connection = 'keep-alive', 'content-length': length = '' } = headers;
  if (host === undefined || connection.toLowerCase() !== 'keep-alive' || !LENGTH.test(length)) return undefined;
  return { path: request.slice(START.length, -END.length), headers, contentLength: Number(length) };
}
