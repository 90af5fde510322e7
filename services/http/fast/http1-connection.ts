import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Code } from '@connectrpc/connect';
import type { Exchange, NodeObjects } from '../exchange/exchange.ts';
import { extraHeaders } from '../exchange/extra-headers.ts';
import type { HttpResponse } from '../exchange/http-message.ts';
import { type Head, readHead } from './http1-head.ts';

export interface Http1Options {
  /** Paths whose POSTs are answered by Exchange.answer alone, whatever they hold. */
  paths: ReadonlySet<string>;
  maxHeadBytes: number;
  keepAliveMs: number;
  /** Aborts when the server closes: connections then end with their next answer. */
  shutdown: AbortSignal;
  handle(exchange: Exchange): void;
  /** Takes over a connection on which no request is under way. What is to be read again is back in it. */
  handOver(socket: Socket): void;
}

/** Time in ms that a connection stays open beyond the keep-alive time that its client was told. */
const GRACE_MS = 1000;
const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * The short way for HTTP/1.1: POSTs to some paths that are read from their connection whole, one after the other. The
 * request, response and parser objects of node:http were a third of a small request's CPU time (measured 2026-11, one
 * gateway on Kafka). A connection that brings anything else is Node's from there on, with what it brought.
 */
export class Http1Connections {
  readonly #options: Http1Options;
  readonly #connections = new Set<Connection>();

  constructor(options: Http1Options) {
    this.#options = options;
  }

  serve(socket: Socket): void {
    const connection = new Connection(socket, this.#options, () => this.#connections.delete(connection));
    this.#connections.add(connection);
    connection.start();
  }

  /** Cuts the connections on which no request is under way. */
  closeIdle(): void {
    for (const connection of this.#connections) connection.closeIfIdle();
  }
}

class Connection {
  readonly socket: Socket;
  readonly options: Http1Options;
  readonly #onEnd: () => void;
  #request: Http1Exchange | undefined;
  /** Chunks that came while a request was under way. */
  #early: Buffer[] = [];
  #clientEnded = false;
  readonly #listeners: [event: string, listener: (chunk: Buffer) => void][] = [
    ['data', (chunk) => this.#read(chunk)],
    ['end', () => this.#endByClient()],
    ['timeout', () => this.closeIfIdle()],
    ['drain', () => this.#goOn()],
    ['close', () => this.#close()],
  ];

  constructor(socket: Socket, options: Http1Options, onEnd: () => void) {
    this.socket = socket;
    this.options = options;
    this.#onEnd = onEnd;
  }

  start(): void {
    const { socket, options } = this;
    // Joins the pieces that have come already.
    const first: Buffer | null = socket.read();
    socket.setTimeout(options.keepAliveMs + GRACE_MS);
    for (const [event, listener] of this.#listeners) socket.on(event, listener);
    if (first !== null) this.#read(first);
  }

  closeIfIdle(): void {
    if (this.#request === undefined) this.socket.destroy();
  }

  /** Sends the answer to the request under way. */
  answer(head: string, body: string | Uint8Array): void {
    const { socket, options } = this;
    this.#request = undefined;
    if (typeof body === 'string') socket.write(head + body);
    else socket.write(Buffer.concat([Buffer.from(head, 'latin1'), body]));
    if (options.shutdown.aborted || this.#clientEnded) socket.destroySoon();
    else if (socket.writableNeedDrain) socket.pause();
    else if (this.#early.length > 0) this.#goOn();
  }

  #read(chunk: Buffer): void {
    if (this.#request !== undefined || this.socket.writableNeedDrain) {
      this.#early.push(chunk);
      this.socket.pause();
      return;
    }
    const end = chunk.indexOf(HEAD_END);
    const head = end === -1 || end > this.options.maxHeadBytes ? undefined : readHead(chunk.toString('latin1', 0, end));
    const body = chunk.subarray(end + HEAD_END.length);
    if (head === undefined || head.contentLength !== body.length || !this.options.paths.has(head.path)) {
      this.#handOver(chunk);
      return;
    }
    this.#request = new Http1Exchange(this, head, body);
    this.options.handle(this.#request);
  }

  /** Reads what came early, then what comes. */
  #goOn(): void {
    if (this.#request !== undefined) return;
    const early = this.#early;
    this.#early = [];
    this.socket.resume();
    if (early.length > 0) this.#read(Buffer.concat(early));
  }

  #handOver(read: Buffer): void {
    const { socket } = this;
    for (const [event, listener] of this.#listeners) socket.off(event, listener);
    this.#onEnd();
    socket.setTimeout(0);
    socket.pause();
    socket.unshift(read);
    this.options.handOver(socket);
    socket.resume();
  }

  #endByClient(): void {
    this.#clientEnded = true;
    if (this.#request === undefined) this.socket.end();
  }

  #close(): void {
    this.#onEnd();
    this.#request?.close();
  }
}

/** A request that was read whole. */
class Http1Exchange implements Exchange {
  readonly version = 1;
  readonly method = 'POST';
  readonly query = '';
  readonly grpcStatus = undefined;
  path: string;
  credentials = false;
  notice: Exchange['notice'] = undefined;
  readonly headers: Exchange['headers'];
  readonly body: Socket;
  readonly whole: Buffer;
  status: number | undefined;
  failure: Code | undefined;
  readonly #connection: Connection;
  #onClose: (() => void)[] = [];

  constructor(connection: Connection, { path, headers }: Head, whole: Buffer) {
    this.#connection = connection;
    this.path = path;
    this.headers = headers;
    this.body = connection.socket;
    this.whole = whole;
  }

  get peer(): string | undefined {
    return this.body.remoteAddress;
  }

  onClose(callback: () => void): void {
    this.#onClose.push(callback);
  }

  close(): void {
    for (const callback of this.#onClose.splice(0)) callback();
  }

  answer(response: HttpResponse): void {
    if (this.body.destroyed) return;
    this.status = response.status;
    const { shutdown, keepAliveMs } = this.#connection.options;
    const connection = shutdown.aborted
      ? 'close'
      : `keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveMs / 1000)}`;
    const headers = linesOf(extraHeaders(this)) + linesOf(response.headers);
    const length = Buffer.byteLength(response.body);
    const head =
      `HTTP/1.1 ${response.status} ${STATUS_CODES[response.status]}\r\n${headers}Date: ${httpDate()}\r\n` +
      `Connection: ${connection}\r\nContent-Length: ${length}\r\n\r\n`;
    this.#connection.answer(head, response.body);
    this.close();
  }

  /** Does nothing, as the body is there. */
  cutBody(): void {}

  nodeObjects(): NodeObjects {
    throw new Error(`${this.path} is answered without`);
  }
}

function linesOf(headers: Readonly<Record<string, string>>): string {
  let lines = '';
  for (const name in headers) lines += `${name}: ${headers[name]}\r\n`;
  return lines;
}

let second = 0;
let date = '';

/** The time for the Date header, to the second. */
function httpDate(): string {
  const now = Math.trunc(Date.now() / 1000);
  if (now !== second) date = new Date(now * 1000).toUTCString();
  second = now;
  return date;
}
