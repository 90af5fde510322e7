import { setTimeout as sleep } from 'node:timers/promises';
import { create, type DescMessage, type DescMethod, type FileRegistry, type Message } from '@bufbuild/protobuf';
import { type Any, anyPack } from '@bufbuild/protobuf/wkt';
import { type Code, ConnectError, type ConnectRouter, type HandlerContext } from '@connectrpc/connect';

/** The fields that are used here of messages known at run time only. */
interface Header {
  name: string;
  value: string[];
}
interface ErrorDefinition {
  code: Code;
  message?: string;
  details: Any[];
}
interface Definition {
  responseHeaders: Header[];
  responseTrailers: Header[];
  responseDelayMs: number;
}
interface UnaryDefinition extends Definition {
  response:
    | { case: 'responseData'; value: Uint8Array }
    | { case: 'error'; value: ErrorDefinition }
    | { case: undefined; value?: undefined };
}
interface StreamDefinition extends Definition {
  responseData: Uint8Array[];
  error?: ErrorDefinition;
}
interface Request<D extends Definition> extends Message {
  responseDefinition?: D;
  fullDuplex?: boolean;
}

/** ConformanceService as its proto file describes it, but for Unimplemented. */
export function conformanceService(router: ConnectRouter, registry: FileRegistry): void {
  const service = registry.getService('connectrpc.conformance.v1.ConformanceService')!;
  const infoDesc = registry.getMessage('connectrpc.conformance.v1.ConformancePayload.RequestInfo')!;

  /** What the server saw of a call. */
  function infoOf(context: HandlerContext, requests: readonly Message[]): Message {
    const timeoutMs = context.timeoutMs();
    return create(infoDesc, {
      requestHeaders: headersOf(context.requestHeader),
      timeoutMs: timeoutMs === undefined ? undefined : BigInt(Math.round(timeoutMs)),
      requests: requests.map((request) => anyPack(context.method.input, request)),
      connectGetInfo:
        context.requestMethod === 'GET' ? { queryParams: headersOf(new URL(context.url).searchParams) } : undefined,
    });
  }

  function errorOf({ code, message, details }: ErrorDefinition, info?: Message): ConnectError {
    const error = new ConnectError(message ?? '', code);
    error.details = details.map(({ typeUrl, value }) => ({ type: typeUrl.slice(typeUrl.lastIndexOf('/') + 1), value }));
    if (info !== undefined) error.details.push({ desc: infoDesc, value: info });
    return error;
  }

  async function answerOnce(requests: readonly Request<UnaryDefinition>[], context: HandlerContext): Promise<Message> {
    const definition = requests[0]?.responseDefinition;
    const requestInfo = infoOf(context, requests);
    announce(context, definition);
    await sleep(definition?.responseDelayMs ?? 0);
    const response = definition?.response;
    if (response?.case === 'error') throw errorOf(response.value, requestInfo);
    return answer(context.method, { data: response?.value, requestInfo });
  }

  async function* answerMany(
    requests: AsyncIterable<Request<StreamDefinition>>,
    context: HandlerContext,
  ): AsyncIterable<Message> {
    let definition: StreamDefinition | undefined;
    let seen: Message[] = [];
    let sent = 0;
    let fullDuplex = false;
    const next = async (data: Uint8Array) => {
      await sleep(definition!.responseDelayMs);
      const requestInfo = sent === 0 || fullDuplex ? infoOf(context, seen) : undefined;
      sent++;
      return answer(context.method, { data, requestInfo });
    };
    for await (const request of requests) {
      if (definition === undefined) {
        definition = request.responseDefinition;
        fullDuplex = request.fullDuplex ?? false;
        announce(context, definition);
      }
      seen.push(request);
      if (!fullDuplex) continue;
      if (definition === undefined || sent >= definition.responseData.length) break;
      yield await next(definition.responseData[sent]!);
      seen = [];
    }
    while (definition !== undefined && sent < definition.responseData.length) {
      yield await next(definition.responseData[sent]!);
      seen = [];
    }
    if (definition?.error !== undefined) {
      throw errorOf(definition.error, sent === 0 ? infoOf(context, seen) : undefined);
    }
  }

  const methods = {
    unary: (request: Message, context: HandlerContext) => answerOnce([request as Request<UnaryDefinition>], context),
    idempotentUnary: (request: Message, context: HandlerContext) =>
      answerOnce([request as Request<UnaryDefinition>], context),
    async clientStream(requests: AsyncIterable<Message>, context: HandlerContext) {
      const all: Message[] = [];
      for await (const request of requests) all.push(request);
      return answerOnce(all as Request<UnaryDefinition>[], context);
    },
    serverStream: (request: Message, context: HandlerContext) => answerMany(only(request), context),
    bidiStream: (requests: AsyncIterable<Message>, context: HandlerContext) =>
      answerMany(requests as AsyncIterable<Request<StreamDefinition>>, context),
  };
  router.service(service, methods as object, { jsonOptions: { registry } });
}

async function* only(request: Message): AsyncIterable<Request<StreamDefinition>> {
  yield request as Request<StreamDefinition>;
}

function announce({ responseHeader, responseTrailer }: HandlerContext, definition: Definition | undefined): void {
  for (const { name, value } of definition?.responseHeaders ?? [])
    for (const one of value) responseHeader.append(name, one);
  for (const { name, value } of definition?.responseTrailers ?? [])
    for (const one of value) responseTrailer.append(name, one);
}

function answer({ output }: DescMethod, payload: { data?: unknown; requestInfo?: Message }): Message {
  return create<DescMessage>(output, { payload });
}

function headersOf(entries: Iterable<[string, string]>): Header[] {
  return [...entries].map(([name, value]) => ({ name, value: [value] }));
}
