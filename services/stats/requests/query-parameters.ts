import { create, type DescField, type DescMessage, type MessageShape, ScalarType } from '@bufbuild/protobuf';
import { type ReportFilter, ReportFilterSchema } from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import { cut } from '../../contract/cut.ts';
import { dimensionNamed } from '../../contract/rollups.ts';
import { NO_VALUE } from '../../contract/shown.ts';
import { shortNames } from './enum-names.ts';
import { type FieldError, unknownName, unknownValue } from './field-error.ts';
import { FILTER_NAMES } from './filters.ts';

/** Numbers that a field can hold; beyond 2^53 they are exact, too. */
const MAX_OF_TYPE = new Map<ScalarType | undefined, bigint>([
  [ScalarType.UINT32, 2n ** 32n - 1n],
  [ScalarType.UINT64, 2n ** 64n - 1n],
]);

/**
 * Reads a request from the query of a URL, or says which parameter is wrong. One without a value is: a shell variable
 * that is not set must not widen the question.
 *
 * Parameters are named as the message's fields: lists with commas, enums by their short names, the numbers of a message
 * in its order with colons. Filters are named as their dimension, with ! after it for all but their values, and may be
 * repeated; a value that no click has but by lacking it is (none).
 *
 * @param others parameters that are known, too, and were read before
 */
export function readParameters<Desc extends DescMessage>(
  schema: Desc,
  text: string,
  others: readonly string[] = [],
): MessageShape<Desc> | FieldError {
  const values = new Map<string, string>();
  const filters = new Map<string, ReportFilter>();
  const known = namesOf(schema, others);
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const [nameText, ...rest] = pair.split('=');
    const name = decoded(nameText!) ?? nameText!;
    const value = decoded(rest.join('='));
    const field = schema.fields.find((each) => each.name === name && !isFilters(each));
    const isFilter = field === undefined && isFiltered(schema) && dimensionNamed(name.replace(/!$/, '')) !== undefined;
    if (field === undefined && !isFilter) return unknownName(name, known);
    if (value === undefined)
      return { field: name, message: `${name} is not percent-encoded UTF-8 (curl: -G --data-urlencode)` };
    if (value === '') return { field: name, message: `${name} is empty: give it a value, or leave it out` };
    if (field === undefined) addFilter(filters, name, value === NO_VALUE ? '' : value);
    else if (values.has(name)) return { field: name, message: `${name} is given more than once` };
    else values.set(name, value);
  }
  const init: Record<string, unknown> = isFiltered(schema) ? { filters: [...filters.values()] } : {};
  for (const field of schema.fields) {
    const value = values.get(field.name);
    if (value === undefined) continue;
    const read = readValue(field, value);
    if (isFault(read)) return read;
    init[field.localName] = read;
  }
  return create(schema, init as Parameters<typeof create<Desc>>[1]);
}

/** The parameters of a message, as errors list them. */
function namesOf(schema: DescMessage, others: readonly string[]): string[] {
  const names = [...schema.fields.filter((field) => !isFilters(field)).map(({ name }) => name), ...others];
  return isFiltered(schema) ? [...names, ...FILTER_NAMES, 'and these with ! for all but a value'] : names;
}

function isFiltered(schema: DescMessage): boolean {
  return schema.fields.some(isFilters);
}

function isFilters({ message }: DescField): boolean {
  return message?.typeName === ReportFilterSchema.typeName;
}

function addFilter(filters: Map<string, ReportFilter>, name: string, value: string): void {
  const exclude = name.endsWith('!');
  const before = filters.get(name);
  if (before !== undefined) before.values.push(value);
  else {
    const dimension = exclude ? name.slice(0, -1) : name;
    filters.set(name, create(ReportFilterSchema, { dimension, values: [value], exclude }));
  }
}

/** What a text stands for in a field, or why it can't. */
function readValue(field: DescField, text: string): unknown {
  const { name } = field;
  if (field.fieldKind === 'list') {
    const items = text.split(',').map((each) => readItem(name, field, each));
    return items.find(isFault) ?? items;
  }
  // In a field of the request 0 is what is not said; a parameter says something.
  if (field.fieldKind !== 'message') return readItem(name, field, text, 1n);
  const { fields } = field.message;
  const parts = text.split(':');
  if (parts.length !== fields.length) {
    return { field: name, message: `${name} is not ${fields.map((each) => each.name.toUpperCase()).join(':')}` };
  }
  const read = fields.map((each, i) => readItem(name, each, parts[i]!));
  return read.find(isFault) ?? Object.fromEntries(fields.map(({ localName }, i) => [localName, read[i]]));
}

function readItem(name: string, { scalar, enum: values }: DescField, text: string, min = 0n): unknown {
  if (values !== undefined) {
    const names = shortNames(values);
    return names.get(text) ?? unknownValue(name, text, [...names.keys()]);
  }
  if (scalar === ScalarType.BOOL) {
    return text === 'true' || (text === 'false' ? false : unknownValue(name, text, ['true', 'false']));
  }
  const max = MAX_OF_TYPE.get(scalar);
  if (max === undefined) return text;
  if (!/^\d{1,20}$/.test(text) || BigInt(text) < min || BigInt(text) > max) {
    return { field: name, message: `${name} is not a whole number in [${min}, ${max}]: "${cut(text)}"` };
  }
  return scalar === ScalarType.UINT32 ? Number(text) : BigInt(text);
}

function isFault(value: unknown): value is FieldError {
  return typeof value === 'object' && value !== null && 'field' in value;
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
