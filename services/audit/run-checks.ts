import type { ClickHouseClient } from '@clickhouse/client';
import { HOUR_MS } from '../contract/limits.ts';
import { CHECKS, type CheckParameters, WINNERS } from './checks.ts';
import { type MeshStatus, nextOffset, rawEvents } from './mesh-status.ts';
import { type CheckResult, limitedConversions, runCheck } from './query.ts';
import { BY_METADATA } from './rollups.ts';

/** A mesh that has caught up. */
export interface CaughtUp {
  status: MeshStatus;
  client: ClickHouseClient;
  /** Memory that ClickHouse may take for a query, in bytes: half of what the embedded server has if undefined. */
  queryBytes: number | undefined;
}

/** Runs every check. Throws if one can't be run. */
export async function allChecks(mesh: CaughtUp): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for await (const result of runChecks(mesh)) results.push(result);
  return results;
}

/** Runs every check, one after the other. Throws if one can't be run. */
export async function* runChecks({ status, client, queryBytes }: CaughtUp): AsyncGenerator<CheckResult> {
  const parameters = parametersOf(status);
  const byMetadata = (await (await client.query({ query: BY_METADATA, format: 'JSON' })).json()).rows !== 0;
  let limited: string | undefined;
  for (const check of CHECKS) {
    if (check.lastClick && !status.models.includes('last_click')) continue;
    const always = (byMetadata && check.expectedByMetadata) || check.expected;
    const expected = (limited !== undefined && check.expectedBut?.(limited)) || always;
    const result = await runCheck(client, { ...check, expected }, parameters, queryBytes);
    if (check.name === WINNERS && Object.keys(result.limited).length > 0) {
      limited = await limitedConversions(client, check, parameters, queryBytes);
    }
    yield result;
  }
}

function parametersOf(status: MeshStatus): CheckParameters {
  const partitions = rawEvents(status);
  const lookbacks = status.lookback_hours_by_type;
  return {
    partitions: partitions.map(({ partition }) => partition),
    next_offsets: partitions.map(({ partition }) => nextOffset(status, partition)),
    log_ends: partitions.map(({ end }) => end),
    set_aside: partitions.map(({ partition }) => {
      return status.set_aside.find((each) => each.partition === partition)?.records ?? 0;
    }),
    conversion_types: Object.keys(lookbacks),
    lookbacks_ms: [status.lookback_hours, ...Object.values(lookbacks)].map((hours) => Math.round(hours * HOUR_MS)),
    models: status.models,
    time_zone: status.report_time_zone,
    max_touches: status.max_touches,
    touch_ms: Math.round(status.touch_hours * HOUR_MS),
    adjustment_ms: Math.round(status.adjustment_hours * HOUR_MS),
  };
}
