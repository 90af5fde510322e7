import type { DescMessage, DescMethodUnary, MessageShape } from '@bufbuild/protobuf';
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect';
import { StatsService } from '../../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { cut } from '../../contract/cut.ts';
import type { HttpRoute } from '../../http/routes/http-routes.ts';
import type { StatsDeps } from '../deps.ts';
import type { FieldError } from '../requests/field-error.ts';
import { strictJson } from '../requests/json-requests.ts';
import { readParameters } from '../requests/query-parameters.ts';
import { badRequest, isFault, valid } from '../requests/refuse.ts';
import { restJson } from '../rest-json.ts';
import { explainConversion } from './explain.ts';
import { listClicks } from './list-clicks.ts';
import { listConflicts } from './list-conflicts.ts';
import { listConversions } from './list-conversions.ts';
import { listDeadLetters } from './list-dead-letters.ts';
import { pathLength, topPaths, topTouches } from './paths.ts';
import { CONVERSIONS_API } from './rest-api.ts';
import { timeLag } from './time-lag.ts';

type MethodName = keyof typeof CONVERSIONS_API;

/** How a request is answered, or the field of it that can't be. */
type Answer<I extends DescMessage, O extends DescMessage> = (
  request: MessageShape<I>,
  signal?: AbortSignal,
) => Promise<MessageShape<O> | FieldError>;

/** Calls `each` with every method, its route and how it is answered. */
function forEachMethod(
  deps: StatsDeps,
  each: <I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O> & { localName: string },
    answer: Answer<I, O>,
  ) => void,
): void {
  const { method } = StatsService;
  each(method.listConversions, (request, signal) => listConversions(deps, request, signal));
  each(method.listClicks, (request, signal) => listClicks(deps, request, signal));
  each(method.topPaths, (request, signal) => topPaths(deps, request, signal));
  each(method.topTouches, (request, signal) => topTouches(deps, request, signal));
  each(method.timeLag, (request, signal) => timeLag(deps, request, signal));
  each(method.pathLength, (request, signal) => pathLength(deps, request, signal));
  each(method.listConflicts, (request, signal) => listConflicts(deps.client, request, signal));
  each(method.listDeadLetters, (request, signal) => listDeadLetters(deps, request, signal));
  each(method.explainConversion, async (request, signal) => {
    const explanation = await explainConversion(deps, request, signal);
    if (explanation !== undefined) return explanation;
    throw new ConnectError(`no decision on a conversion ${cut(request.conversionId)} is known`, Code.NotFound);
  });
}

export function conversionsRoutes(router: ConnectRouter, deps: StatsDeps): void {
  forEachMethod(deps, (method, answer) => {
    const handle = async (request: MessageShape<typeof method.input>, { signal }: { signal: AbortSignal }) =>
      valid(await answer(request, signal));
    // So that an answer says `attributed: false`, and 0 where there is nothing.
    router.rpc(method, handle, { jsonOptions: { ...strictJson(method.input), alwaysEmitImplicit: true } });
  });
}

/** The same over plain HTTP, with the fields of the request as parameters. */
export function conversionsHttp(deps: StatsDeps): HttpRoute[] {
  const routes: HttpRoute[] = [];
  forEachMethod(deps, ({ input, output, localName }, answer) => {
    routes.push({
      ...CONVERSIONS_API[localName as MethodName],
      async handle({ query }) {
        const request = readParameters(input, query);
        if (isFault(request)) return badRequest(request as FieldError);
        const answered = await answer(request as MessageShape<typeof input>);
        if (isFault(answered)) return badRequest(answered as FieldError);
        const body = restJson(output, answered as MessageShape<typeof output>);
        return { status: 200, headers: { 'content-type': 'application/json' }, body };
      },
    });
  });
  return routes;
}
