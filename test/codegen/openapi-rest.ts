import type { DescMessage, FileRegistry } from '@bufbuild/protobuf';
import type { EventShape, FieldShape } from '../../services/contract/event-rules.ts';
import { eventShapes } from './event-shapes.ts';
import { description, type Json, restSchema, schemaRef } from './openapi-schema.ts';

const string: Json = { type: 'string' };
const integer: Json = { type: 'integer' };
const number: Json = { type: 'number' };

/** What the REST endpoints add to the schemas of the contract. */
export function restSchemas(registry: FileRegistry): Json {
  return {
    RestEvent: { oneOf: eventShapes(registry).map(restEvent) },
    RestResult: {
      type: 'object',
      description: 'What became of one event. Accepted: partition and offset. Rejected: field, reason, limit, message.',
      properties: {
        event_id: string,
        status: { type: 'string', enum: ['accepted', 'rejected'] },
        partition: integer,
        offset: integer,
        field: string,
        reason: { type: 'string', enum: rejectReasons(registry) },
        limit: string,
        message: string,
      },
      required: ['event_id', 'status'],
    },
    RestResults: {
      type: 'object',
      properties: {
        accepted: integer,
        rejected: integer,
        results: { type: 'array', items: schemaRef('RestResult'), description: 'One per event, in request order.' },
      },
      required: ['accepted', 'rejected', 'results'],
    },
    RestStats: {
      type: 'object',
      properties: {
        interval: { type: 'string', enum: ['daily', 'weekly', 'monthly'] },
        data: { type: 'array', items: statsRow(message(registry, 'StatsRow')) },
      },
      required: ['interval', 'data'],
    },
    RestError: {
      type: 'object',
      properties: {
        error: {
          type: 'object',
          properties: { code: string, message: string, field: string },
          required: ['code', 'message'],
        },
      },
      required: ['error'],
    },
  };
}

export function restPaths(registry: FileRegistry): Json {
  const event = schemaRef('RestEvent');
  const results = content(schemaRef('RestResults'));
  const error = content(schemaRef('RestError'));
  return {
    '/api/v1/events': {
      post: {
        operationId: 'postEvents',
        tags: ['REST'],
        summary: 'Takes one event or up to 1,000, each accepted or rejected by itself.',
        requestBody: {
          required: true,
          content: {
            'application/json': { schema: { oneOf: [event, { type: 'array', items: event, maxItems: 1000 }] } },
            'application/x-ndjson': { schema: string },
          },
        },
        responses: {
          202: { description: 'At least one was accepted; those are durable.', content: results },
          400: {
            description: 'None was accepted, or the body could not be read.',
            content: content({ oneOf: [schemaRef('RestResults'), schemaRef('RestError')] }),
          },
          default: { description: 'Nothing was accepted. 429 and 503 carry Retry-After.', content: error },
        },
      },
    },
    '/api/v1/stats': {
      get: {
        operationId: 'getStats',
        tags: ['REST'],
        summary: 'Clicks, conversions, revenue and conversion rate by period, campaign and source.',
        parameters: statsParameters(message(registry, 'GetStatsRequest')),
        responses: {
          200: { description: 'The statistics.', content: content(schemaRef('RestStats')) },
          default: { description: 'They could not be read.', content: error },
        },
      },
    },
  };
}

/** A JSON body. */
export function content(schema: Json): Json {
  return { 'application/json': { schema } };
}

function restEvent({ type, message, fields }: EventShape): Json {
  const { properties, ...rest } = restSchema(message);
  const schemas = properties as Record<string, Json>;
  const ruled = fields.map(({ name, required, rule }) => [name, { ...schemas[name], ...limits(rule, required) }]);
  const required = fields.filter((field) => field.required).map(({ name }) => name);
  return {
    ...rest,
    title: type,
    properties: { event_type: { const: type }, ...Object.fromEntries(ruled) },
    required: ['event_type', ...required],
  };
}

/** What of a rule JSON Schema can say. It counts characters, of which there are no more than bytes. */
function limits(rule: FieldShape['rule'], required: boolean): Json {
  switch (rule.case) {
    case 'uuid':
      return { format: 'uuid' };
    case 'text':
      return { ...(required ? { minLength: 1 } : {}), maxLength: rule.value.maxBytes };
    case 'time':
      return { minimum: Number(rule.value.minMs) };
    case 'number':
    case 'integer':
      return { minimum: 0, maximum: Number(rule.value.max) };
    case 'map':
      return { maxProperties: rule.value.maxEntries };
    case undefined:
      return {};
  }
}

/** The exact sums are for Connect and gRPC only. */
function statsRow(desc: DescMessage): Json {
  const properties = desc.fields
    .filter(({ name }) => !name.endsWith('_micros'))
    .map((field) => {
      const isText = ['date', 'campaign_id', 'source'].includes(field.name);
      return [field.name, { ...(isText ? string : field.name === 'clicks' ? integer : number), ...description(field) }];
    });
  return { type: 'object', properties: Object.fromEntries(properties), required: properties.map(([name]) => name) };
}

function statsParameters({ fields }: DescMessage): Json[] {
  return fields.map((field) => ({
    name: field.name,
    in: 'query',
    required: field.name.endsWith('_date'),
    schema: field.name === 'interval' ? { type: 'string', enum: ['daily', 'weekly', 'monthly'] } : string,
    ...description(field),
  }));
}

function rejectReasons(registry: FileRegistry): string[] {
  const values = registry.getEnum('clickmesh.v1.RejectReason')!.values;
  return values.filter(({ number: value }) => value > 0).map(({ localName }) => localName.toLowerCase());
}

function message(registry: FileRegistry, name: string): DescMessage {
  return registry.getMessage(`clickmesh.v1.${name}`)!;
}
