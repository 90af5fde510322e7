import { readFileSync, writeFileSync } from 'node:fs';
import { create, createFileRegistry, type FileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  CodeGeneratorRequestSchema,
  CodeGeneratorResponse_Feature,
  CodeGeneratorResponseSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';

/** Answers protoc's request, on standard input, with one file that `write` makes of the contract. */
export function runPlugin(name: string, write: (registry: FileRegistry) => string): void {
  const request = fromBinary(CodeGeneratorRequestSchema, readFileSync(0));
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: request.protoFile }));
  const response = create(CodeGeneratorResponseSchema, {
    supportedFeatures: BigInt(CodeGeneratorResponse_Feature.PROTO3_OPTIONAL),
    file: [{ name, content: write(registry) }],
  });
  writeFileSync(1, toBinary(CodeGeneratorResponseSchema, response));
}
