import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import { getComments } from '@bufbuild/protoplugin';

/** A JSON Schema, or any other part of an OpenAPI document. */
export type Json = { [key: string]: unknown };

/** What a comment in the contract says, as one paragraph; nothing where there is none. */
export function description(desc: Parameters<typeof getComments>[0]): Json {
  const text = getComments(desc)
    .leading?.trim()
    .replace(/\s*\n\s*/g, ' ');
  return text ? { description: text } : {};
}

export function schemaRef(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}

/** The message as Connect writes it in JSON. */
export function messageSchema(message: DescMessage): Json {
  const properties = message.fields.map((field) => [
    field.jsonName,
    { ...fieldSchema(field, int64InConnect), ...description(field) },
  ]);
  return { type: 'object', ...description(message), properties: Object.fromEntries(properties) };
}

/** The message as REST writes it: names as in the contract, 64-bit integers as numbers. */
export function restSchema(message: DescMessage): Json {
  const properties = message.fields.map((field) => [
    field.name,
    { ...fieldSchema(field, int64InRest), ...description(field) },
  ]);
  return { type: 'object', ...description(message), properties: Object.fromEntries(properties) };
}

/** The message as services/stats/rest-json.ts writes it. */
export function answerSchema(message: DescMessage): Json {
  const properties = message.fields.map((field) => {
    const isMicros = field.name.endsWith('_micros');
    const value = isMicros ? { type: 'number' } : plainSchema(field);
    const schema = field.fieldKind === 'list' ? { type: 'array', items: value } : value;
    return [field.name.replace(/_micros$/, ''), { ...schema, ...description(field) }];
  });
  return { type: 'object', ...description(message), properties: Object.fromEntries(properties) };
}

/** Of the field, or of each item of a list. */
function plainSchema(field: DescField): Json {
  const { message, enum: values } = field;
  if (message !== undefined) return answerSchema(message);
  if (values !== undefined)
    return { type: 'string', enum: values.values.map(({ localName }) => localName.toLowerCase()) };
  if (field.fieldKind === 'map') return fieldSchema(field, int64InRest);
  const schema = scalarSchema(field.scalar, int64InRest);
  return field.presence === FeatureSet_FieldPresence.EXPLICIT ? { ...schema, type: [schema.type, 'null'] } : schema;
}

/** Every message that this one holds, itself included. */
export function reachable(message: DescMessage, found = new Set<DescMessage>()): Set<DescMessage> {
  if (found.has(message)) return found;
  found.add(message);
  for (const { message: inner } of message.fields) if (inner !== undefined) reachable(inner, found);
  return found;
}

/** The body of a Connect call that failed. */
export const CONNECT_ERROR: Json = {
  type: 'object',
  properties: {
    code: { type: 'string', description: 'Such as "invalid_argument" or "unavailable".' },
    message: { type: 'string' },
    details: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          type: { type: 'string', description: 'Such as "clickmesh.v1.Rejection".' },
          value: { type: 'string', contentEncoding: 'base64', description: 'The message in binary.' },
          debug: { type: 'object', description: 'The message as JSON.' },
        },
        required: ['type', 'value'],
      },
    },
  },
  required: ['code'],
};

/** Strings, so that no digit is lost; numbers are read too. */
const int64InConnect: Json = { type: ['string', 'integer'], format: 'int64' };

const int64InRest: Json = { type: 'integer', format: 'int64' };

function fieldSchema(field: DescField, int64: Json): Json {
  const value = valueSchema(field, int64);
  if (field.fieldKind === 'list') return { type: 'array', items: value };
  if (field.fieldKind === 'map') return { type: 'object', additionalProperties: value };
  return value;
}

/** Of the field, or of each of its items. */
function valueSchema(field: DescField, int64: Json): Json {
  if (field.message !== undefined) return schemaRef(field.message.name);
  if (field.enum !== undefined) return { type: 'string', enum: field.enum.values.map(({ name }) => name) };
  return scalarSchema(field.scalar!, int64);
}

function scalarSchema(scalar: ScalarType, int64: Json): Json {
  switch (scalar) {
    case ScalarType.BYTES:
      return { type: 'string', format: 'byte' };
    case ScalarType.STRING:
      return { type: 'string' };
    case ScalarType.BOOL:
      return { type: 'boolean' };
    case ScalarType.DOUBLE:
      return { type: 'number', format: 'double' };
    case ScalarType.INT32:
    case ScalarType.UINT32:
      return { type: 'integer', format: 'int32' };
    case ScalarType.INT64:
    case ScalarType.UINT64:
      return int64;
    default:
      throw new Error(`no schema for scalar type ${ScalarType[scalar]}`);
  }
}
