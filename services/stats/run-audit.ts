import type { ClickHouseClient } from '@clickhouse/client';
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect';
import type { AuditCheck, RunAuditResponse } from '../../gen/ts/clickmesh/v1/reports_pb.js';
import { StatsService } from '../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { waitUntilCaughtUp } from '../audit/caught-up.ts';
import { readStatus } from '../audit/mesh-status.ts';
import type { CheckResult } from '../audit/query.ts';
import { runChecks } from '../audit/run-checks.ts';
import type { StatsDeps } from './deps.ts';

/** How long all that was accepted may take to be in ClickHouse, in ms. While events arrive it never is. */
const CATCH_UP_MS = 10_000;

/** Those of whom an audit runs: each has ClickHouse read everything. */
const audited = new WeakSet<ClickHouseClient>();

export function auditRoutes(router: ConnectRouter, { client, status }: StatsDeps): void {
  router.rpc(StatsService.method.runAudit, async function* (_, { signal }) {
    if (status === undefined) {
      const message = 'how far attribution is is not known here: run `clickmesh audit`';
      throw new ConnectError(message, Code.Unimplemented);
    }
    if (audited.has(client)) throw new ConnectError('an audit is running', Code.ResourceExhausted);
    audited.add(client);
    try {
      yield* runAudit(client, status, signal);
    } finally {
      audited.delete(client);
    }
  });
}

async function* runAudit(
  client: ClickHouseClient,
  status: () => Promise<object>,
  signal: AbortSignal,
): AsyncGenerator<RunAuditResponse> {
  const caughtUp = await waitUntilCaughtUp(async () => readStatus(await status()), CATCH_UP_MS).catch((error) => {
    const message = `${(error as Error).message}. An audit needs a pause in what is sent`;
    throw new ConnectError(message, Code.Unavailable, undefined, undefined, error);
  });
  for await (const result of runChecks({ status: caughtUp, client, queryBytes: undefined })) {
    if (signal.aborted) return;
    yield answer([checkOf(result)]);
  }
  yield { ...answer([]), done: true, finishedAt: BigInt(Date.now()) };
}

function answer(checks: AuditCheck[]): RunAuditResponse {
  return { $typeName: 'clickmesh.v1.RunAuditResponse', checks, done: false, finishedAt: 0n };
}

function checkOf({ name, compared, differing, limited }: CheckResult): AuditCheck {
  const limits = Object.entries(limited).map(([limit, keys]) => `${keys} differ: ${limit}`);
  const outcome = differing > 0 ? 'differs' : limits.length > 0 ? 'limit' : 'ok';
  const text = [differing > 0 ? `${differing} of ${compared} differ` : `${compared} compared`, ...limits].join('; ');
  return {
    $typeName: 'clickmesh.v1.AuditCheck',
    ...{ name, outcome, text, compared: BigInt(compared), differing: BigInt(differing) },
  };
}
