import type { ClickHouseClient } from '@clickhouse/client';
import { cut } from '../contract/cut.ts';
import { type FieldError, hint } from './requests/field-error.ts';
import { selectRows } from './select-rows.ts';

/** The error of a model under which nothing is counted. One that is switched off by now may still be asked for. */
export async function modelFault(
  client: ClickHouseClient,
  model: string,
  counted: readonly string[],
  signal?: AbortSignal,
): Promise<FieldError | undefined> {
  if (counted.includes(model)) return undefined;
  const query = "SELECT DISTINCT model FROM daily_stats WHERE model != '' ORDER BY model";
  const rows = await selectRows<{ model: string }>(client, { query, query_params: {} }, signal);
  const known = [...new Set([...counted, ...rows.map((row) => row.model)])];
  if (known.includes(model)) return undefined;
  const message = `model "${cut(model)}" is not counted by this mesh${hint(model, known)} Known are ${known.join(', ')}`;
  return { field: 'model', message };
}
