import { readFileSync, writeFileSync } from 'node:fs';
import { create, createFileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  CodeGeneratorRequestSchema,
  CodeGeneratorResponse_Feature,
  CodeGeneratorResponseSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { eventShapes } from './event-shapes.ts';
import { wireCode } from './wire-code.ts';

/** A protoc plugin: event-wire.ts, the code that scans, finds and writes the fields of events. */
const request = fromBinary(CodeGeneratorRequestSchema, readFileSync(0));
const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: request.protoFile }));
const response = create(CodeGeneratorResponseSchema, {
  supportedFeatures: BigInt(CodeGeneratorResponse_Feature.PROTO3_OPTIONAL),
  file: [{ name: 'event-wire.ts', content: wireCode(eventShapes(registry)) }],
});
writeFileSync(1, toBinary(CodeGeneratorResponseSchema, response));
