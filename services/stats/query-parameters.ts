import { create, ScalarType } from '@bufbuild/protobuf';
import { type GetStatsRequest, GetStatsRequestSchema } from '../../gen/ts/clickmesh/v1/stats_service_pb.js';
import { type FieldError, unknownName, unknownValue } from './field-error.ts';
import { INTERVAL_NAMES, INTERVALS } from './query.ts';

const NAMES = GetStatsRequestSchema.fields.map(({ name }) => name);
const FLAGS = GetStatsRequestSchema.fields.filter(({ scalar }) => scalar === ScalarType.BOOL).map(({ name }) => name);

/**
 * Reads a request from the query of a URL, or says which parameter is wrong. One without a value is: a shell variable
 * that is not set must not widen the question.
 */
export function readParameters(text: string): GetStatsRequest | FieldError {
  const values = new Map<string, string>();
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const [nameText, ...rest] = pair.split('=');
    const name = decoded(nameText!) ?? nameText!;
    const value = decoded(rest.join('='));
    const error = NAMES.includes(name) ? faultOf(name, value, values) : unknownName(name, NAMES);
    if (error !== undefined) return error;
    values.set(name, value!);
  }
  const texts = GetStatsRequestSchema.fields.filter(({ scalar, fieldKind }) => {
    return fieldKind === 'scalar' && scalar === ScalarType.STRING;
  });
  return create(GetStatsRequestSchema, {
    ...Object.fromEntries(texts.map(({ name, localName }) => [localName, values.get(name)])),
    interval: INTERVALS.get(values.get('interval') ?? ''),
    by: values.get('by')?.split(','),
    gross: values.get('gross') === 'true',
    unattributed: values.get('unattributed') === 'true',
  });
}

function faultOf(name: string, value: string | undefined, before: ReadonlyMap<string, string>): FieldError | undefined {
  if (before.has(name)) return { field: name, message: `${name} is given more than once` };
  if (value === undefined)
    return { field: name, message: `${name} is not percent-encoded UTF-8 (curl: -G --data-urlencode)` };
  if (value === '') return { field: name, message: `${name} is empty: give it a value, or leave it out` };
  if (name === 'interval' && !INTERVALS.has(value)) return unknownValue(name, value, INTERVAL_NAMES);
  if (FLAGS.includes(name) && value !== 'true' && value !== 'false')
    return unknownValue(name, value, ['true', 'false']);
  return undefined;
}

/** The text that is percent-encoded, with + for spaces; undefined if none is. */
function decoded(text: string): string | undefined {
  if (/[^!-~]/.test(text)) return undefined;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
