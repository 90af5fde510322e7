import { createRegistry, type DescFile, type Registry, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { Code, type ConnectRouter } from '@connectrpc/connect';
import * as v1 from '../../../gen/ts/grpc/reflection/v1/reflection_pb.js';
import * as v1alpha from '../../../gen/ts/grpc/reflection/v1alpha/reflection_pb.js';

type Question = (v1.ServerReflectionRequest | v1alpha.ServerReflectionRequest)['messageRequest'];
type Answer =
  | { case: 'fileDescriptorResponse'; value: { fileDescriptorProto: Uint8Array[] } }
  | { case: 'allExtensionNumbersResponse'; value: { baseTypeName: string } }
  | { case: 'listServicesResponse'; value: { service: { name: string }[] } }
  | { case: 'errorResponse'; value: { errorCode: Code; errorMessage: string } };

/** Most bytes of a question, which is a name: what a stream of them holds back counts among no bodies. */
const MAX_QUESTION_BYTES = 4096;

/**
 * gRPC server reflection, v1 and v1alpha (the same messages under two names), over every service of this router and
 * everything their files import.
 */
export function reflectionRoutes(router: ConnectRouter): void {
  const methods = {
    async *serverReflectionInfo<R extends { host: string; messageRequest: Question }>(requests: AsyncIterable<R>) {
      for await (const request of requests) yield respond(router, request);
    },
  };
  router.service(v1.ServerReflection, methods, { readMaxBytes: MAX_QUESTION_BYTES });
  router.service(v1alpha.ServerReflection, methods, { readMaxBytes: MAX_QUESTION_BYTES });
}

function respond<Request extends { host: string; messageRequest: Question }>(router: ConnectRouter, request: Request) {
  const messageResponse = answer(router, request.messageRequest);
  return { validHost: request.host, originalRequest: request, messageResponse };
}

function answer(router: ConnectRouter, question: Question): Answer {
  const services = [...new Set(router.handlers.map((handler) => handler.service))];
  const files = withImports(services.map((service) => service.file));
  switch (question.case) {
    case 'listServices':
      return { case: 'listServicesResponse', value: { service: services.map(({ typeName: name }) => ({ name })) } };
    case 'fileByFilename':
      return fileAnswer(
        files.find((file) => file.proto.name === question.value),
        question.value,
      );
    case 'fileContainingSymbol':
      return fileAnswer(fileOfSymbol(createRegistry(...files), question.value), question.value);
    case 'allExtensionNumbersOfType':
      return { case: 'allExtensionNumbersResponse', value: { baseTypeName: question.value } };
    case 'fileContainingExtension':
      return failure(Code.NotFound, 'no served file declares extensions');
    case undefined:
      return failure(Code.InvalidArgument, 'the request asks nothing');
  }
}

/** The file that declares the symbol. Members, such as methods and fields, are found through what declares them. */
function fileOfSymbol(registry: Registry, symbol: string): DescFile | undefined {
  for (let name = symbol; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
    const found = registry.get(name);
    if (found !== undefined) return found.file;
  }
  return undefined;
}

function fileAnswer(file: DescFile | undefined, asked: string): Answer {
  if (file === undefined) return failure(Code.NotFound, `${asked} is not served here`);
  const fileDescriptorProto = withImports([file]).map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return { case: 'fileDescriptorResponse', value: { fileDescriptorProto } };
}

function withImports(files: readonly DescFile[]): DescFile[] {
  const found = new Set<DescFile>();
  const visit = (file: DescFile) => {
    if (found.has(file)) return;
    found.add(file);
    file.dependencies.forEach(visit);
  };
  files.forEach(visit);
  return [...found];
}

function failure(errorCode: Code, errorMessage: string): Answer {
  return { case: 'errorResponse', value: { errorCode, errorMessage } };
}
