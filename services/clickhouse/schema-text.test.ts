import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createFileRegistry, type DescEnum, type DescField, type DescMessage, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { type ExtraField, schemaText } from './schema-text.ts';
import { STREAMS } from './streams.ts';

/** Compiles files, given by name, with `buf build`, and returns the message of the full name. */
function compiled(typeName: string, files: Readonly<Record<string, string>>): DescMessage {
  const folder = mkdtempSync(join(tmpdir(), 'schema-text-'));
  try {
    writeFileSync(join(folder, 'buf.yaml'), 'version: v2\n');
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    const image = execFileSync('buf', ['build', '--output', '-#format=binpb'], { cwd: folder, stdio: 'pipe' });
    const message = createFileRegistry(fromBinary(FileDescriptorSetSchema, image)).getMessage(typeName);
    if (message === undefined) throw new Error(`no ${typeName} in ${Object.values(files).join('\n')}`);
    return message;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Lists what decides how each field's bytes are read and how its column is named; messages by their fields. */
function shapeOf(message: DescMessage): unknown[] {
  return message.fields.map((field) => ({
    number: field.number,
    name: field.name,
    kind: field.fieldKind,
    type: typeOf(field),
    mapKey: field.fieldKind === 'map' ? field.mapKey : undefined,
    oneof: field.oneof?.name,
    optional: field.proto.proto3Optional,
  }));
}

function typeOf(field: DescField): unknown {
  if (field.message !== undefined) return shapeOf(field.message);
  return field.enum === undefined ? field.scalar : valuesOf(field.enum);
}

function valuesOf({ values }: DescEnum): unknown[] {
  return values.map(({ name, number }) => [name, number]);
}

test.each(STREAMS)('the schema of $topic has the fields of its message', ({ message }) => {
  const read = compiled(message.typeName, { 'schema.proto': schemaText(message) });
  expect(shapeOf(read)).toEqual(shapeOf(message));
});

test('extra fields stand beside those of the message, and in no other', () => {
  const { message } = STREAMS.find(({ topic }) => topic === 'raw-events')!;
  const extra: ExtraField[] = [
    { type: 'uint64', name: '_offset', number: 1001 },
    { type: 'bytes', name: '_raw_message', number: 1002 },
  ];
  const read = compiled(message.typeName, { 'schema.proto': schemaText(message, extra) });
  expect(read.fields.slice(message.fields.length).map(({ name, number }) => [name, number])).toEqual([
    ['_offset', 1001],
    ['_raw_message', 1002],
  ]);
  expect(shapeOf(read).slice(0, message.fields.length)).toEqual(shapeOf(message));
});

const EVERYTHING = `syntax = "proto3";
package everything.v1;
import "google/protobuf/timestamp.proto";
import "everything/v1/rules.proto";

// A comment.
message Everything {
  option deprecated = true;
  string text = 1 [(rule) = { required: true }];
  optional sint32 maybe = 2;
  repeated fixed64 many = 3;
  map<int32, Nested> by_number = 4;
  map<string, Choice> by_text = 5;
  repeated Choice choices = 6;
  google.protobuf.Timestamp time = 7;
  oneof first {
    bytes raw = 8;
    Nested.Deeper deeper = 9;
  }
  oneof second {
    bool yes = 10;
    double number = 11;
  }
  Nested same = 13;
  message Nested {
    float part = 1;
    Deeper deeper = 2;
    message Deeper { uint32 depth = 1; }
  }
  enum Choice {
    CHOICE_NONE = 0;
    CHOICE_ONE = 5;
  }
}
`;
const RULES = `syntax = "proto3";
package everything.v1;
import "google/protobuf/descriptor.proto";
message Rule { bool required = 1; }
extend google.protobuf.FieldOptions { Rule rule = 50001; }
`;

test('nested types, maps, enums, oneofs and types of other packages are written; imports and options are not', () => {
  const name = 'everything.v1.Everything';
  const message = compiled(name, { 'everything/v1/everything.proto': EVERYTHING, 'everything/v1/rules.proto': RULES });
  const text = schemaText(message);
  expect(text).not.toMatch(/import|option |rule|\/\//i);
  expect(shapeOf(compiled(name, { 'schema.proto': text }))).toEqual(shapeOf(message));
});
