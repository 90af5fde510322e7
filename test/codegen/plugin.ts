import { readFileSync, writeFileSync } from 'node:fs';
import { create, createFileRegistry, type FileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  CodeGeneratorRequestSchema,
  CodeGeneratorResponse_Feature,
  CodeGeneratorResponseSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';

/** Answers protoc's request, on standard input, with the files, by name, that `write` makes of the contract. */
export function runPlugin(write: (registry: FileRegistry) => Record<string, string>): void {
  const request = fromBinary(CodeGeneratorRequestSchema, readFileSync(0));
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: request.protoFile }));
  const response = create(CodeGeneratorResponseSchema, {
    supportedFeatures: BigInt(CodeGeneratorResponse_Feature.PROTO3_OPTIONAL),
    file: Object.entries(write(registry)).map(([name, content]) => ({ name, content })),
  });
  writeFileSync(1, toBinary(CodeGeneratorResponseSchema, response));
}
