import { type DescField, type DescMessage, type FileRegistry, ScalarType } from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import type { EventShape, FieldShape } from '../../services/contract/event-rules.ts';
import { MAX_BATCH_ITEMS } from '../../services/contract/limits.ts';
import { FIELDS } from '../../services/contract/rollups.ts';
import { eventRoutes } from '../../services/gateway/ways-in/rest-api.ts';
import type { Operation, RouteDescription } from '../../services/http/routes/http-routes.ts';
import { parametersOf } from '../../services/http/routes/path-table.ts';
import { CONVERSIONS_API } from '../../services/stats/conversions/rest-api.ts';
import { GET_STATS, RUN_REPORT, TAIL_EVENTS, WATCH_REPORT } from '../../services/stats/rest-api.ts';
import { eventShapes } from './event-shapes.ts';
import { answerSchema, description, type Json, restSchema, schemaRef } from './openapi-schema.ts';

const string: Json = { type: 'string' };
const integer: Json = { type: 'integer' };
const INTERVALS = ['daily', 'weekly', 'monthly', 'hourly'];

/** Methods whose answers REST writes field by field. */
const CONVERSION_ANSWERS = Object.values(CONVERSIONS_API).map(({ openapi }) => {
  return openapi!.operationId.replace(/^./, (first) => first.toUpperCase());
});

/** What the REST endpoints add to the schemas of the contract. */
export function restSchemas(registry: FileRegistry): Json {
  const shapes = eventShapes(registry);
  return {
    RestEvent: { oneOf: shapes.map((shape) => restEvent(shape, ['event_type'])) },
    ...Object.fromEntries(impliedEvents(shapes)),
    RestResult: {
      type: 'object',
      description:
        'What became of one event. Accepted: partition, offset, and ignored if anything was. Rejected: index in the ' +
        'request from 0, field, reason, limit, received, message.',
      properties: {
        event_id: string,
        status: { type: 'string', enum: ['accepted', 'rejected'] },
        partition: integer,
        offset: integer,
        ignored: { type: 'array', items: string },
        index: integer,
        field: string,
        reason: { type: 'string', enum: rejectReasons(registry) },
        limit: string,
        received: string,
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
        interval: { type: 'string', enum: INTERVALS },
        data: { type: 'array', items: statsRow(message(registry, 'StatsRow')) },
        unattributed: { type: 'array', items: { type: 'object' }, description: 'By date, if asked for.' },
        since: {
          type: 'object',
          description:
            'From when on (model, rollup) or until when (model_until) what answers was counted, in ms since 1970-01-01 ' +
            'UTC; left out where it always was.',
        },
      },
      required: ['interval', 'data'],
    },
    RestReport: {
      type: 'object',
      description:
        'Rows by date and what group_by names; measures of several models are in `models`, by the name of the model. As ' +
        'CSV and NDJSON only the rows: the headers clickmesh-total-rows and clickmesh-next-page-token have the rest.',
      properties: {
        rows: { type: 'array', items: reportRow(registry) },
        totals: reportRow(registry),
        unattributed: { type: 'object', description: 'Conversions that no click is credited for.' },
        total_rows: integer,
        next_page_token: string,
        stamp: { type: 'object', description: 'How the answer is counted: as ReportStamp, times as numbers.' },
      },
      required: ['rows', 'totals', 'unattributed', 'total_rows', 'next_page_token', 'stamp'],
    },
    ...Object.fromEntries(
      CONVERSION_ANSWERS.map((name) => [`Rest${name}`, answerSchema(message(registry, `${name}Response`))]),
    ),
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

/** Schemas of events whose route implies their event_type. */
function impliedEvents(shapes: readonly EventShape[]): [name: string, schema: Json][] {
  const routes = eventRoutes(shapes.map(({ type }) => type));
  return shapes.map((shape) => {
    const { openapi } = routes.find(({ impliedType }) => impliedType === shape.type)!;
    return [openapi!.events!, restEvent(shape, [])];
  });
}

/** The routes that are in the document, from the lists by which they are served. */
export function restPaths(registry: FileRegistry): Json {
  const paths: Record<string, Json> = {};
  const types = eventShapes(registry).map(({ type }) => type);
  const routes = [GET_STATS, RUN_REPORT, TAIL_EVENTS, WATCH_REPORT, ...Object.values(CONVERSIONS_API)];
  for (const route of [...eventRoutes(types), ...routes]) {
    if (route.openapi === undefined) continue;
    const documented = { [route.method.toLowerCase()]: operation(route, route.openapi, registry) };
    paths[route.path] = { ...paths[route.path], ...documented };
  }
  return paths;
}

function operation({ path, summary }: RouteDescription, openapi: Operation, registry: FileRegistry): Json {
  const { operationId, query, forms = {}, events, answers } = openapi;
  const inPath = parametersOf(path).map((name) => ({ name, in: 'path', required: true, schema: string }));
  const inQuery = query === undefined ? [] : queryParameters(message(registry, query));
  const ofForm = Object.entries(forms).map(([name, { values, description: text }]) => {
    const schema = { ...string, enum: values, default: values[0] };
    return { name, in: 'query', required: false, schema, description: text };
  });
  const parameters = [...inPath, ...inQuery, ...ofForm];
  const responses = Object.entries(answers).map(([status, { description: text, schemas, type, texts = [] }]) => {
    const refs = schemas.map(schemaRef);
    const written = [
      content(refs.length === 1 ? refs[0]! : { oneOf: refs }, type),
      ...texts.map((each) => content(string, each)),
    ];
    return [status, { description: text, content: Object.assign({}, ...written) }];
  });
  return {
    operationId,
    tags: ['REST'],
    summary,
    ...(parameters.length > 0 && { parameters }),
    ...(events !== undefined && { requestBody: eventsBody(schemaRef(events)) }),
    responses: Object.fromEntries(responses),
  };
}

function eventsBody(event: Json): Json {
  return {
    required: true,
    content: {
      ...content({ oneOf: [event, { type: 'array', items: event, maxItems: MAX_BATCH_ITEMS }] }),
      'application/x-ndjson': { schema: string },
    },
  };
}

/** A body. */
export function content(schema: Json, type = 'application/json'): Json {
  return { [type]: { schema } };
}

function restEvent({ type, message, fields }: EventShape, alsoRequired: readonly string[]): Json {
  const { properties, ...rest } = restSchema(message);
  const schemas = properties as Record<string, Json>;
  const ruled = fields.map(({ name, required, rule }) => [name, { ...schemas[name], ...limits(rule, required) }]);
  // What the gateway can find may be left out.
  const isFound = ({ rule }: FieldShape) => rule.case === 'text' && rule.value.foundBy !== '';
  const required = fields.filter((field) => field.required && !isFound(field)).map(({ name }) => name);
  return {
    ...rest,
    title: type,
    properties: { event_type: { const: type }, ...Object.fromEntries(ruled) },
    required: [...alsoRequired, ...required],
  };
}

/** What of a rule JSON Schema can say. It counts characters, of which there are no more than bytes. */
function limits(rule: FieldShape['rule'], required: boolean): Json {
  switch (rule.case) {
    case 'uuid':
      return { minLength: 1, maxLength: rule.value.maxBytes };
    case 'text':
      return { ...(required ? { minLength: 1 } : {}), maxLength: rule.value.maxBytes };
    case 'time':
      return { minimum: Number(rule.value.minMs) };
    case 'number':
    case 'integer':
      return { minimum: 0, maximum: Number(rule.value.max) };
    case 'choice':
      return { enum: rule.value.values };
    case 'map':
      return { maxProperties: rule.value.maxEntries };
    case 'currency':
    case 'flag':
    case undefined:
      return {};
  }
}

/** The exact sums are for Connect and gRPC only. */
function statsRow(desc: DescMessage): Json {
  const properties = desc.fields
    .filter(({ name }) => !name.endsWith('_micros') && name !== 'values')
    .map((field) => {
      const isText = ['date', 'campaign_id', 'source'].includes(field.name);
      const type = isText ? 'string' : field.name.endsWith('clicks') ? 'integer' : 'number';
      return [field.name, { type: field.name === 'cvr' ? [type, 'null'] : type, ...description(field) }] as const;
    });
  const always = desc.fields.filter(({ presence }) => presence !== FeatureSet_FieldPresence.EXPLICIT);
  const required = [...always.map(({ name }) => name), 'cvr'].filter((name) =>
    properties.some(([own]) => own === name),
  );
  const byOther = { ad_id: string, conversion_type: string };
  const isDefault = (name: string) => name !== 'campaign_id' && name !== 'source';
  return {
    type: 'object',
    description: 'With `by`, a row has the dimensions that it is by in place of campaign_id and source.',
    properties: { ...Object.fromEntries(properties), ...byOther },
    required: required.filter(isDefault),
  };
}

/** Measures of a row are its own under one model, and in `models` under several. */
function reportRow(registry: FileRegistry): Json {
  const number: Json = { type: 'number' };
  const measures = {
    ...{ conversions: number, revenue: number, cvr: { type: ['number', 'null'] } },
    ...{ gross_conversions: number, gross_revenue: number, refunds: number },
  };
  const { fields } = message(registry, 'ReportRow');
  const told = (name: string) => description(fields.find((field) => field.name === name)!);
  return {
    type: 'object',
    properties: {
      date: { ...string, ...told('date') },
      clicks: { ...integer, ...told('clicks') },
      invalid_clicks: integer,
      ...measures,
      models: { type: 'object', additionalProperties: { type: 'object', properties: measures } },
      partial: { type: 'boolean', ...told('partial') },
      previous: { type: 'object', ...told('previous') },
    },
    required: ['clicks', 'invalid_clicks', 'partial'],
    additionalProperties: string,
  };
}

/** Filters are parameters of their own, and so is what says how an answer is written. */
function queryParameters(desc: DescMessage): Json[] {
  const isFilters = (field: DescField) => field.message?.name === 'ReportFilter';
  const own = desc.fields.filter((field) => !isFilters(field)).map(queryParameter);
  if (!desc.fields.some(isFilters)) return own;
  const filters = [...FIELDS, 'metadata.KEY'].map((name) => ({
    ...{ name, in: 'query', required: false, schema: { type: 'array', items: string } },
    description: `Only this ${name}, or one of several; ${name}! with all but these.`,
  }));
  return [...own, ...filters];
}

function queryParameter(field: DescField): Json {
  const { name, scalar, fieldKind, enum: values } = field;
  const schema: Json =
    values !== undefined
      ? { ...string, enum: values.values.filter((each) => each.number > 0).map((each) => each.localName.toLowerCase()) }
      : scalar === ScalarType.BOOL
        ? { type: 'boolean' }
        : scalar === ScalarType.UINT32 && fieldKind === 'scalar'
          ? integer
          : { ...string, minLength: 1 };
  return { name, in: 'query', required: name.endsWith('_date'), schema, ...description(field) };
}

function rejectReasons(registry: FileRegistry): string[] {
  const values = registry.getEnum('clickmesh.v1.RejectReason')!.values;
  return values.filter(({ number: value }) => value > 0).map(({ localName }) => localName.toLowerCase());
}

function message(registry: FileRegistry, name: string): DescMessage {
  return registry.getMessage(`clickmesh.v1.${name}`)!;
}
