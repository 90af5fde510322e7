import { type DescEnum, type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';

/** A field that a schema has besides those of its message. */
export interface ExtraField {
  type: 'uint64' | 'string' | 'bytes';
  name: string;
  number: number;
}

/**
 * The .proto text by which ClickHouse reads a message: its fields, those of `extra`, and every type they refer to.
 * Written from the descriptor because ClickHouse can't resolve what a .proto file imports; options and comments are
 * left out. All types stand at the top level, where ClickHouse finds a message by its simple name: one that is nested,
 * or of another package, is named by its full name with underscores for dots.
 */
export function schemaText(message: DescMessage, extra: readonly ExtraField[] = []): string {
  const packageName = message.file.proto.package;
  const definitions = [...referencedTypes(message)].map((type) => {
    if (type.kind === 'enum') return enumText(type, packageName);
    return messageText(type, packageName, type === message ? extra : []);
  });
  return `syntax = "proto3";\npackage ${packageName};\n${definitions.join('')}`;
}

/** The message and, transitively, the types of its fields. */
function referencedTypes(message: DescMessage, found = new Set<DescMessage | DescEnum>()) {
  if (found.has(message)) return found;
  found.add(message);
  for (const field of message.fields) {
    if (field.enum !== undefined) found.add(field.enum);
    if (field.message !== undefined) referencedTypes(field.message, found);
  }
  return found;
}

function messageText(message: DescMessage, packageName: string, extra: readonly ExtraField[]): string {
  const members = message.members.map((member) => {
    if (member.kind === 'field') return fieldText(member, packageName);
    return `  oneof ${member.name} {\n${member.fields.map((field) => fieldText(field, packageName)).join('')}  }\n`;
  });
  const extraFields = extra.map(({ type, name, number }) => `  ${type} ${name} = ${number};\n`);
  return `message ${nameOf(message, packageName)} {\n${[...members, ...extraFields].join('')}}\n`;
}

function fieldText(field: DescField, packageName: string): string {
  const referenced = field.message ?? field.enum;
  let type = referenced === undefined ? scalarName(field.scalar!) : nameOf(referenced, packageName);
  if (field.fieldKind === 'map') type = `map<${scalarName(field.mapKey)}, ${type}>`;
  if (field.fieldKind === 'list') type = `repeated ${type}`;
  if (field.proto.proto3Optional) type = `optional ${type}`;
  return `  ${type} ${field.name} = ${field.number};\n`;
}

function enumText(type: DescEnum, packageName: string): string {
  const values = type.values.map(({ name, number }) => `  ${name} = ${number};\n`);
  return `enum ${nameOf(type, packageName)} {\n${values.join('')}}\n`;
}

function scalarName(type: ScalarType): string {
  return ScalarType[type].toLowerCase();
}

function nameOf({ typeName }: DescMessage | DescEnum, packageName: string): string {
  const own = `${packageName}.`;
  return (typeName.startsWith(own) ? typeName.slice(own.length) : typeName).replaceAll('.', '_');
}
