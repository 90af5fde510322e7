import type { EventShape, FieldShape } from '../../services/contract/event-rules.ts';
import { MAX_TIMESTAMP_MS } from '../../services/contract/limits.ts';
import { HEAD_BYTES, isOften, isStored, loggedFields, maxBytes, tag, tagOf } from './wire-fields.ts';

/** Largest integer that is read from the bytes of an event: what the seven bytes of a varint hold. */
const MAX_READ_INTEGER = 2 ** 49 - 1;

/**
 * The text of gen/wire/event-wire.ts: for each event type straight-line functions, from its fields and their rules. A
 * table that is walked for each field would be megamorphic where every event passes. Types that are sent seldom are
 * only written by it: accept judges them, and a decoder of messages reads their records.
 */
export function wireCode(shapes: readonly EventShape[]): string {
  for (const shape of shapes) for (const field of shape.fields) assertGenerates(shape, field);
  const often = shapes.filter(isOften);
  const body = [
    `/** The longest event that passes accept, in bytes. */\nexport const MAX_EVENT_BYTES = ${Math.max(...shapes.map(maxBytes))};`,
    scanEvent(often),
    ...often.map(scanFunction),
    encodeEvent(shapes),
    ...shapes.map(encodeFunction),
    findFields(often),
    ...often.map(findFunction),
  ].join('\n\n');
  return `${header(shapes, body)}\n\n${body}\n`;
}

/** Kinds of fields that must be required; but for texts, no others can be. */
const REQUIRED_KINDS: ReadonlySet<FieldShape['rule']['case']> = new Set(['uuid', 'time', 'choice', 'flag']);

/** Throws an Error for what no event has needed yet, and the code written here does not know. */
function assertGenerates(shape: EventShape, field: FieldShape): void {
  const { name, rule, required, optional } = field;
  const isRequired = REQUIRED_KINDS.has(rule.case);
  const mayBeOptional = !isOften(shape) && isStored(field, shape.stored);
  if (rule.case === 'flag' ? !optional : optional && !mayBeOptional) {
    throw new Error(`${name}: the field ${optional ? "can't" : 'must'} be optional`);
  }
  if (rule.case === 'text' && rule.value.id && !required) throw new Error(`${name}: an id must be required`);
  if (rule.case !== 'text' && required !== isRequired) {
    throw new Error(`${name}: a field of kind ${rule.case} ${isRequired ? 'must' : "can't"} be required`);
  }
}

const RUNTIME = {
  '../../services/contract/wire.ts': ['putBigint', 'putDouble', 'putEntry', 'putText', 'putVarint', 'varintBytes'],
  '../../services/contract/wire-reader.ts': [
    'hadUpperCase',
    'lastDouble',
    'lastInteger',
    'passAscii',
    'passHead',
    'passId',
    'passInteger',
    'passMap',
    'passOptionalAscii',
    'passOptionalDouble',
    'passOptionalInteger',
    'passOptionalText',
    'passText',
    'passUuid',
    'passUuidText',
    'skipMap',
    'withLowerCaseUuid',
    'withMicros',
  ],
};

function header(shapes: readonly EventShape[], body: string): string {
  const imports = Object.entries(RUNTIME).flatMap(([path, names]) => {
    const used = names.filter((name) => new RegExp(`\\b${name}\\(`).test(body));
    return used.length === 0 ? [] : [`import {\n${used.map((name) => `  ${name},\n`).join('')}} from '${path}';`];
  });
  const messages = shapes.map(({ message }) => message.name).sort();
  return [
    '// Generated from proto/clickmesh/v1/event.proto by test/codegen/wire-code.ts: `npm run generate`.',
    `import type { Accepted } from '../../services/contract/event-rules.ts';`,
    ...imports,
    `import type { ${messages.join(', ')} } from '../ts/clickmesh/v1/event_pb.js';`,
  ].join('\n');
}

// ---------------------------------------------------------------------------------------------------------- scanning

function scanEvent(shapes: readonly EventShape[]): string {
  return `/**
 * Judges an event as it lies in the bytes of a request, from \`start\` to \`end\`: what is accepted here is, to the
 * byte, what \`accept\` makes of it once it is decoded. Undefined for whatever is unusual, right or wrong: types that
 * are sent seldom, fields out of their order, texts of 128 bytes or more, a number in two fields, and every fault.
 * Those are for \`accept\`.
 *
 * @param now in ms since 1970-01-01 UTC
 */
export function scanEvent(bytes: Buffer, start: number, end: number, now: number): Accepted | undefined {
  switch (bytes[start]) {
${shapes.map((shape) => `    case ${tag(shape.number, 2)}:\n      return scan${shape.message.name}(bytes, start, end, now);`).join('\n')}
    default:
      return undefined;
  }
}`;
}

function scanFunction(shape: EventShape): string {
  const { type, message, fields } = shape;
  const { stored } = shape;
  const lines = ['let at = passHead(bytes, start, end);', ...(stored === undefined ? [] : ['const body = at;'])];
  for (const field of fields) lines.push(...scanLines(field, stored));
  const fail =
    stored === undefined
      ? 'at !== end'
      : `at !== end || (${stored.from.localName} !== 0 && ${stored.to.localName} !== 0)`;
  lines.push(`if (${fail}) return undefined;`);
  lines.push("const eventId = bytes.toString('latin1', eventIdStart, eventIdEnd);");
  lines.push(`const event = ${stored === undefined ? 'bytes.subarray(start, end)' : withMicros(shape, stored)};`);
  lines.push(
    'return {',
    '  eventId: isUpperCase ? eventId.toLowerCase() : eventId,',
    `  eventType: '${type}',`,
    "  userId: bytes.toString('utf8', userIdStart, userIdEnd),",
    '  bytes: isUpperCase ? withLowerCaseUuid(event, event[1]! < 0x80 ? 4 : 5) : event,',
    '};',
  );
  return fn(`scan${message.name}(bytes: Buffer, start: number, end: number, now: number): Accepted | undefined`, lines);
}

function scanLines(field: FieldShape, stored: EventShape['stored']): string[] {
  const { localName, rule, required } = field;
  const args = `bytes, at, end, ${tagOf(field)}`;
  switch (rule.case) {
    case 'uuid':
      return localName === 'eventId'
        ? [
            'const eventIdStart = at + 2;',
            `at = passUuid(${args});`,
            'const eventIdEnd = at;',
            'const isUpperCase = hadUpperCase();',
          ]
        : [`at = passUuid(${args});`];
    case 'text': {
      const pass = `at = ${rule.value.id ? 'passId' : required ? 'passText' : 'passOptionalText'}(${args});`;
      return localName === 'userId' ? ['const userIdStart = at + 2;', pass, 'const userIdEnd = at;'] : [pass];
    }
    case 'time':
      return [`at = passInteger(${args}, ${rule.value.minMs}, now + ${rule.value.maxAheadMs});`];
    case 'map':
      return [`at = passMap(${args}, ${rule.value.maxEntries}, ${rule.value.maxBytes});`];
    case 'number': {
      const max =
        stored?.from === field ? Math.min(rule.value.max, Math.floor(MAX_READ_INTEGER / 1e6)) : rule.value.max;
      return [
        ...place(field, stored),
        `at = passOptionalDouble(${args}, ${max});`,
        `const ${localName} = lastDouble();`,
        ...placeEnd(field, stored),
      ];
    }
    case 'integer': {
      const max = Math.min(Number(rule.value.max), MAX_READ_INTEGER);
      return [
        ...place(field, stored),
        `at = passOptionalInteger(${args}, ${max});`,
        `const ${localName} = lastInteger();`,
        ...placeEnd(field, stored),
      ];
    }
    case 'currency':
      // An event that has one is left to `accept`.
      return [];
    default:
      throw new Error(`${field.name} is of a kind that is not scanned`);
  }
}

function place(field: FieldShape, stored: EventShape['stored']): string[] {
  return isStored(field, stored) ? [`const ${field.localName}Start = at;`] : [];
}

function placeEnd(field: FieldShape, stored: EventShape['stored']): string[] {
  return isStored(field, stored) ? [`const ${field.localName}End = at;`] : [];
}

/** The event without the number, and with its micros where they are stored. */
function withMicros({ number }: EventShape, { from, to }: NonNullable<EventShape['stored']>): string {
  const cuts = `${from.localName}Start, ${from.localName}End, ${to.localName}Start, ${to.localName}End`;
  return `withMicros(bytes, ${tag(number, 2)}, body, ${cuts}, end, ${tagOf(to)}, ${from.localName}, ${to.localName})`;
}

// ---------------------------------------------------------------------------------------------------------- encoding

function encodeEvent(shapes: readonly EventShape[]): string {
  const cases = shapes.map(({ message, number }) => {
    const { typeName, name } = message;
    return `    case '${typeName}':\n      return wrapped(${tag(number, 2)}, put${name}(event, eventId, micros));`;
  });
  return `/** Where events are put together, the message from START on, so that there is room for the head that tells its length. */
const scratch = Buffer.allocUnsafeSlow(MAX_EVENT_BYTES);
const START = ${1 + HEAD_BYTES};

/**
 * The bytes of an Event that passed accept, as toBinary gives them but for unknown fields.
 *
 * @param eventId what to write for the event's own
 * @param micros what to write where a number is stored as micros; the number itself is left out
 */
export function encodeEvent(event: ${shapes.map(({ message }) => message.name).join(' | ')}, eventId: string, micros: bigint): Buffer {
  switch (event.$typeName) {
${cases.join('\n')}
  }
}

/** The case of Event: its head goes before the message that ends here. A copy. */
function wrapped(tag: number, end: number): Buffer {
  const length = end - START;
  const start = START - 1 - varintBytes(length);
  scratch[start] = tag;
  putVarint(scratch, start + 1, length);
  return Buffer.from(scratch.subarray(start, end));
}`;
}

function encodeFunction(shape: EventShape): string {
  const { stored } = shape;
  const lines = ['let at = START;'];
  for (const field of loggedFields(shape)) lines.push(encodeLine(field, stored));
  lines.push('return at;');
  const micros = stored === undefined ? '_micros' : 'micros';
  return fn(
    `put${shape.message.name}(event: ${shape.message.name}, eventId: string, ${micros}: bigint): number`,
    lines,
  );
}

function encodeLine(field: FieldShape, stored: EventShape['stored']): string {
  const { localName, rule } = field;
  const args = `scratch, at, ${tagOf(field)}`;
  switch (rule.case) {
    case 'uuid':
    case 'text':
    case 'choice':
      return `at = putText(${args}, ${localName === 'eventId' ? 'eventId' : `event.${localName}`});`;
    case 'time':
    case 'integer':
      return `at = putBigint(${args}, ${field === stored?.to ? 'micros' : `event.${localName}`});`;
    case 'number':
      return `at = putDouble(${args}, event.${localName});`;
    case 'flag':
      // Also a false, which is not the same as none.
      return `at = putVarint(scratch, putVarint(${args}), event.${localName} ? 1 : 0);`;
    case 'map':
      return `for (const key in event.${localName}) at = putEntry(${args}, key, event.${localName}[key]!);`;
    default:
      throw new Error(`${field.name} is not in the log`);
  }
}

// ----------------------------------------------------------------------------------------------------------- finding

function findFields(shapes: readonly EventShape[]): string {
  const types = shapes.map((shape) => {
    const members = loggedFields(shape).flatMap(memberLines);
    return `/** A ${shape.type} as it lies in its bytes: where its texts, all of them ASCII without NUL, begin and end. */
export interface ${shape.message.name}Fields {
  kind: '${shape.type}';
${members.map((line) => `  ${line}\n`).join('')}}`;
  });
  return `${types.join('\n\n')}

export type EventFields = ${shapes.map(({ message }) => `${message.name}Fields`).join(' | ')};

/**
 * Finds the fields of an event in the bytes of its record. Undefined for whatever is unusual, right or wrong: types
 * that are sent seldom, fields out of their order or unknown, texts that are not ASCII or of 128 bytes or more, an
 * event_id not as long as a UUID, numbers of more than 49 bits, and what breaks a rule. Those are for a decoder of all
 * of Protobuf, which finds the same in all others. Whether the event_id is a UUID is not looked at. The answer is valid
 * until the next call.
 */
export function findFields(bytes: Buffer, start: number, end: number): EventFields | undefined {
  switch (bytes[start]) {
${shapes.map((shape) => `    case ${tag(shape.number, 2)}:\n      return find${shape.message.name}(bytes, start, end);`).join('\n')}
    default:
      return undefined;
  }
}`;
}

function memberLines({ localName, rule }: FieldShape): string[] {
  switch (rule.case) {
    case 'uuid':
      return [`${localName}: number;`];
    case 'text':
      return [`${localName}: number;`, `${localName}End: number;`];
    case 'time':
      return [`/** In ms. */`, `${localName}: number;`];
    case 'integer':
    case 'number':
      return [`${localName}: number;`];
    case 'map':
      return ['/** Where its entries begin and end. */', `${localName}: number;`, `${localName}End: number;`];
    default:
      return [];
  }
}

function findFunction(shape: EventShape): string {
  const name = `found${shape.message.name}`;
  const fields = loggedFields(shape);
  const zeros = fields
    .flatMap(memberLines)
    .flatMap((line) => (line.startsWith('/') ? [] : [line.replace('number;', '0,')]));
  const lines = ['let at = passHead(bytes, start, end);'];
  for (const field of fields) lines.push(...findLines(field, name));
  lines.push(`return at === end ? ${name} : undefined;`);
  const found = `const ${name}: ${shape.message.name}Fields = {\n  kind: '${shape.type}',\n${zeros.map((line) => `  ${line}\n`).join('')}};`;
  const type = `${shape.message.name}Fields | undefined`;
  return `${found}\n\n${fn(`find${shape.message.name}(bytes: Buffer, start: number, end: number): ${type}`, lines)}`;
}

function findLines(field: FieldShape, found: string): string[] {
  const { localName, rule, required } = field;
  const args = `bytes, at, end, ${tagOf(field)}`;
  switch (rule.case) {
    case 'uuid':
      return [`${found}.${localName} = at + 2;`, `at = passUuidText(${args});`];
    case 'text':
      return [
        `${found}.${localName} = at + 2;`,
        `at = ${required ? 'passAscii' : 'passOptionalAscii'}(${args});`,
        `${found}.${localName}End = at;`,
        ...(required ? [] : [`if (${found}.${localName} > at) ${found}.${localName} = at;`]),
      ];
    case 'time':
      return [
        `at = passInteger(${args}, ${rule.value.minMs}, ${MAX_TIMESTAMP_MS});`,
        `${found}.${localName} = lastInteger();`,
      ];
    case 'integer': {
      const max = Math.min(Number(rule.value.max), MAX_READ_INTEGER);
      return [`at = passOptionalInteger(${args}, ${max});`, `${found}.${localName} = lastInteger();`];
    }
    case 'number':
      return [`at = passOptionalDouble(${args}, ${rule.value.max});`, `${found}.${localName} = lastDouble();`];
    case 'map':
      return [`${found}.${localName} = at;`, `at = skipMap(${args});`, `${found}.${localName}End = at;`];
    default:
      throw new Error(`${field.name} is not in the log`);
  }
}

function fn(signature: string, lines: readonly string[]): string {
  return `function ${signature} {\n${lines.map((line) => line.replace(/^/gm, '  ')).join('\n')}\n}`;
}
