import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { Code, ConnectError, type ConnectRouterOptions } from '@connectrpc/connect';
import { protobufNames } from './enum-names.ts';
import { type FieldError, unknownName, unknownValue } from './field-error.ts';
import { textFault } from './text-fault.ts';

/**
 * JSON options of a method that has its requests read strictly, in every protocol: the library passes over the names
 * and the enums' values that it does not know, and puts U+FFFD for what is not UTF-8. Enums have their names of
 * Protobuf, or numbers.
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
  return text;
}

function faultIn({ fields }: DescMessage, json: unknown): FieldError | undefined {
  if (!isObject(json)) return { field: 'request', message: 'the request must be a JSON object' };
  for (const [name, value] of Object.entries(json)) {
    const field = fields.find((each) => each.name === name || each.jsonName === name);
    if (field === undefined) {
      const known = fields.map((each) => each.name);
      return unknownName(name, known);
    }
    const fault = value === null ? undefined : faultOf(field, value);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function faultOf(field: DescField, value: unknown): FieldError | undefined {
  if (field.fieldKind !== 'list') return faultOfItem(field, value);
  if (!Array.isArray(value)) return { field: field.name, message: `${field.name} must be a list` };
  for (const each of value) {
    const fault = faultOfItem(field, each);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** Fields of what was given out by an answer, which checks itself. */
const OPAQUE = new Set(['page_token', 'cursor']);

function faultOfItem({ name, message, enum: values, scalar }: DescField, value: unknown): FieldError | undefined {
  if (message !== undefined) {
    return isObject(value) ? faultIn(message, value) : { field: name, message: `${name} must be a JSON object` };
  }
  if (scalar === ScalarType.STRING) {
    if (typeof value !== 'string') return { field: name, message: `${name} must be a string` };
    return OPAQUE.has(name) ? undefined : textFault({ [name]: value });
  }
  if (values === undefined || typeof value !== 'string') return undefined;
  if (values.values.some((each) => each.name === value)) return undefined;
  return unknownValue(name, value, protobufNames(values));
}

function isObject(json: unknown): json is object {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
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
