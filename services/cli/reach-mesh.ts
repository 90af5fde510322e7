import { Code, ConnectError, type Transport } from '@connectrpc/connect';
import {
  createAsyncIterable,
  type UniversalClientFn,
  type UniversalClientResponse,
} from '@connectrpc/connect/protocol';
import { codeFromHttpStatus, contentTypeUnaryProto, createTransport } from '@connectrpc/connect/protocol-connect';
import { compressionBrotli, compressionGzip, createNodeHttpClient } from '@connectrpc/connect-node';

/** The library's own limit of a message, which is none. */
const MAX_MESSAGE_BYTES = 0xffff_ffff;
/** Most characters of a body that an error shows. */
const MAX_SHOWN = 200;

const send = createNodeHttpClient({ httpVersion: '1.1' });

/**
 * A transport to a mesh by Connect. No answer, and one that no mesh gives, become a ConnectError that says what was
 * reached and what was expected; its cause is the network's error unless trying again can't help.
 */
export function meshTransport(url: string): Transport {
  return createTransport({
    baseUrl: url,
    useBinaryFormat: true,
    interceptors: [],
    acceptCompression: [compressionGzip, compressionBrotli],
    sendCompression: null,
    compressMinBytes: 0,
    readMaxBytes: MAX_MESSAGE_BYTES,
    writeMaxBytes: MAX_MESSAGE_BYTES,
    httpClient: (request) => call(url, request),
  });
}

/** Sends a call, and passes on what a mesh answers: a message, or an error of its own. */
async function call(url: string, request: Parameters<UniversalClientFn>[0]): Promise<UniversalClientResponse> {
  const response = await send(request).catch((error) => Promise.reject(unanswered(url, error)));
  const { status, header } = response;
  if (status === 200 && header.get('content-type') === contentTypeUnaryProto) return response;
  const body = await wholeOf(url, response);
  // An error that is compressed is left to the library.
  const isError = status !== 200 && (header.has('content-encoding') || typeof jsonIn(body)?.code === 'string');
  if (!isError) throw notAMesh(url, request.url, response, body);
  return { ...response, body: createAsyncIterable([body]) };
}

/** What REST answers with. */
type Type = 'application/json' | 'application/x-ndjson' | 'text/csv' | 'text/plain' | 'text/event-stream';

/** Returns the text that a GET of a mesh answers, which has the type. Throws as getAnswer does. */
export async function getText(
  url: string,
  path: string,
  timeoutMs: number,
  type: Type = 'application/json',
): Promise<string> {
  return (await getAnswer(url, path, timeoutMs, type)).text;
}

/** The same with its headers. Throws an Error, of one line, in the words of a meshTransport's. */
export async function getAnswer(
  url: string,
  path: string,
  timeoutMs: number,
  type: Type,
): Promise<{ text: string; header: Headers }> {
  const request = { url: `${url}${path}`, method: 'GET', header: new Headers(), body: undefined };
  try {
    const asked = send({ ...request, signal: AbortSignal.timeout(timeoutMs) });
    const response = await asked.catch((error) => Promise.reject(unanswered(url, error)));
    const body = await wholeOf(url, response);
    const isExpected = response.header.get('content-type')?.startsWith(type);
    if (response.status === 200 && isExpected) return { text: body.toString(), header: response.header };
    throw refused(url, request.url, response, body);
  } catch (error) {
    throw error instanceof ConnectError ? new Error(error.rawMessage, { cause: error }) : error;
  }
}

/** Pieces of the server-sent events that a GET of a mesh answers, until `signal`. Throws as getAnswer does. */
export async function* getEvents(
  url: string,
  path: string,
  header: Headers,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const request = { url: `${url}${path}`, method: 'GET', header, body: undefined };
  try {
    const response = await send({ ...request, signal }).catch((error) => Promise.reject(unanswered(url, error)));
    const isExpected = response.header.get('content-type')?.startsWith('text/event-stream' satisfies Type);
    if (response.status !== 200 || !isExpected) {
      throw refused(url, request.url, response, await wholeOf(url, response));
    }
    yield* response.body;
  } catch (error) {
    throw error instanceof ConnectError ? new Error(error.rawMessage, { cause: error }) : error;
  }
}

/** What a mesh says of a request that it refuses, or that this is none. */
function refused(url: string, address: string, response: UniversalClientResponse, body: Buffer): Error {
  const message = messageIn(body);
  const isServed = response.status !== 404 || /^no /.test(message ?? '');
  return message !== undefined && isServed ? new Error(message) : notAMesh(url, address, response, body);
}

async function wholeOf(url: string, { body }: UniversalClientResponse): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of body) chunks.push(chunk);
  } catch (error) {
    throw unanswered(url, error, 'broke off its answer');
  }
  return Buffer.concat(chunks);
}

/** The JSON of a body, as far as errors are told by it; undefined if it is none. */
function jsonIn(body: Buffer): { code?: unknown; error?: { message?: unknown } } | null | undefined {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

/** The message of an error of a mesh over plain HTTP, such as that a path is none of its own. */
function messageIn(body: Buffer): string | undefined {
  const message = jsonIn(body)?.error?.message;
  return typeof message === 'string' ? message : undefined;
}

function notAMesh(url: string, address: string, { status, header }: UniversalClientResponse, body: Buffer) {
  const text = messageIn(body) ?? body.toString();
  const [line = ''] = text.trim().split(/[\r\n]/, 1);
  const [type, location] = [header.get('content-type'), header.get('location')];
  const what = [status, type && `with ${type}`, location && `to ${location}`].filter(Boolean).join(' ');
  const shown = line && `: ${line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}…` : line}`;
  const message = `expected a mesh at ${url}, but ${address.split('?', 1)} answers ${what}${shown}`;
  return new ConnectError(message, status === 200 ? Code.FailedPrecondition : codeFromHttpStatus(status), header);
}

function unanswered(url: string, thrown: unknown, fault = 'does not answer'): ConnectError {
  const error = ConnectError.from(thrown);
  const { cause } = error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (code === 'EPROTO') {
    const plain = url.replace(/^https/, 'http');
    return new ConnectError(`expected TLS at ${url}, but it speaks none: is ${plain} meant?`, Code.FailedPrecondition);
  }
  if (code.startsWith('HPE_')) {
    const secure = url.replace(/^http:/, 'https:');
    const hint = secure === url ? '' : `: is ${secure} meant, or another port?`;
    return new ConnectError(`expected HTTP/1.1 at ${url}, but it speaks none${hint}`, Code.FailedPrecondition);
  }
  return new ConnectError(`${url} ${fault}: ${error.rawMessage}`, error.code, undefined, undefined, cause);
}
