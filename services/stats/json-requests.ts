import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { Code, ConnectError, type ConnectRouterOptions } from '@connectrpc/connect';
import { type FieldError, unknownName, unknownValue } from './field-error.ts';
import { INTERVAL_NAMES, INTERVALS, textFault } from './query.ts';

/**
 * JSON options of a method that has its requests read strictly, in every protocol: the library passes over the names
 * and the intervals it does not know, and puts U+FFFD for what is not UTF-8. Intervals may have REST's names.
 */
export function strictJson(request: DescMessage): NonNullable<ConnectRouterOptions['jsonOptions']> {
  const textDecoder = { decode: (bytes: Uint8Array) => textOf(request, bytes) };
  return { textDecoder } as object;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Returns the text of a request for the library to read. Throws a ConnectError for what that would pass over. */
function textOf(request: DescMessage, bytes: Uint8Array): string {
  const text = orInvalid('the request is not UTF-8', () => UTF8.decode(bytes));
  const json: unknown = orInvalid('the request is not valid JSON', () => JSON.parse(text));
  const fault = faultIn(request, json);
  if (fault !== undefined) throw invalid(fault.message);
  return text.replace(INTERVAL, (_, key: string, name: string) => `${key}${INTERVALS.get(name)}`);
}

/** A key with its value as JSON writes them, which no other text in JSON can look like. */
const INTERVAL = new RegExp(`("interval"\\s*:\\s*)"(${INTERVAL_NAMES.join('|')})"`, 'g');

function faultIn({ fields }: DescMessage, json: unknown): FieldError | undefined {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return { field: 'request', message: 'the request must be a JSON object' };
  }
  for (const [name, value] of Object.entries(json)) {
    const field = fields.find((each) => each.name === name || each.jsonName === name);
    if (field === undefined)
      return unknownName(
        name,
        fields.map((each) => each.name),
      );
    const fault = value === null ? undefined : faultOf(field, value);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function faultOf(
  { name, fieldKind, message, enum: values, scalar }: DescField,
  value: unknown,
): FieldError | undefined {
  if (fieldKind === 'list')
    return Array.isArray(value) ? undefined : { field: name, message: `${name} must be a list` };
  if (message !== undefined) return faultIn(message, value);
  if (scalar === ScalarType.STRING) {
    return typeof value === 'string'
      ? textFault({ [name]: value })
      : { field: name, message: `${name} must be a string` };
  }
  if (values === undefined || typeof value !== 'string') return undefined;
  if (INTERVALS.has(value) || values.values.some((each) => each.name === value)) return undefined;
  return unknownValue(name, value, INTERVAL_NAMES);
}

function orInvalid<T>(complaint: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw invalid(`${complaint}: ${(error as Error).message}`);
  }
}

function invalid(message: string): ConnectError {
  return new ConnectError(message, Code.InvalidArgument);
}
