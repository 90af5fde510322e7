import type { GetStatsRequest } from '../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { DAY_MS } from '../contract/limits.ts';
import { UTC } from '../contract/report-days.ts';
import type { StatsDeps } from './deps.ts';
import { modelFault } from './models.ts';
import { parseQuery, type StatsQuery } from './query.ts';
import type { FieldError } from './requests/field-error.ts';
import { rollupSince } from './since.ts';

/** The query of a request, with the rollup that answers it, or the first field that can't be answered. */
export async function readQuery(
  request: GetStatsRequest,
  { client, models, rollups, timeZone = UTC }: StatsDeps,
  signal?: AbortSignal,
): Promise<StatsQuery | FieldError> {
  const parsed = parseQuery(request, models[0]!, rollups, timeZone);
  if ('field' in parsed) return parsed;
  const { rollups: answering, ...query } = parsed;
  const fault = await modelFault(client, query.model, models, signal);
  if (fault !== undefined) return fault;
  return { ...query, rollup: await rollupSince(client, answering, query.start * DAY_MS) };
}
