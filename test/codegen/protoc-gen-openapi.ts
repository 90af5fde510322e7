import type { DescMethod, FileRegistry } from '@bufbuild/protobuf';
import { getSyntaxComments } from '@bufbuild/protoplugin';
import { content, restPaths, restSchemas } from './openapi-rest.ts';
import { CONNECT_ERROR, description, type Json, messageSchema, reachable, schemaRef } from './openapi-schema.ts';
import { runPlugin } from './plugin.ts';

/**
 * A protoc plugin: OpenAPI 3.1 of everything that takes plain JSON, unary calls by Connect and the REST endpoints.
 * Comments of the contract become descriptions.
 */
runPlugin((registry) => ({ 'openapi.json': `${JSON.stringify(openapi(registry), undefined, 2)}\n` }));

function openapi(files: FileRegistry): Json {
  const services = [...files].filter((desc) => desc.kind === 'service' && desc.typeName.startsWith('clickmesh.'));
  const methods = services.flatMap((service) => (service.kind === 'service' ? service.methods : []));
  const unary = methods.filter((method) => method.methodKind === 'unary');
  // What streams send is there for REST, which has server-sent events of it.
  const sent = methods.flatMap(({ input, output, methodKind }) =>
    methodKind === 'unary' ? [input, output] : [output],
  );
  const messages = new Set(sent.flatMap((message) => [...reachable(message)]));
  const rejection = files.getMessage('clickmesh.v1.Rejection')!;
  const schemas = [...messages.add(rejection)].map((desc) => [desc.name, messageSchema(desc)] as const);
  return {
    openapi: '3.1.0',
    info: {
      ...{ title: 'clickmesh', version: 'v1', ...aboutOf(files) },
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths: { ...restPaths(files), ...Object.fromEntries(unary.map(connectPath)) },
    components: {
      schemas: {
        ...restSchemas(files),
        ...Object.fromEntries(schemas.sort(([a], [b]) => (a < b ? -1 : 1))),
        ConnectError: CONNECT_ERROR,
      },
    },
  };
}

/** What stands at the heads of the files of events and of stats: what is taken as it is sent, and what numbers mean. */
function aboutOf(files: FileRegistry): { description: string } {
  const heads = ['event', 'stats_service'].map((name) => {
    const { leading = '' } = getSyntaxComments(files.getFile(`clickmesh/v1/${name}.proto`)!);
    return leading.replaceAll(/^ /gm, '').trim();
  });
  return { description: heads.join('\n\n') };
}

function connectPath(method: DescMethod): [string, Json] {
  const { typeName, name } = method.parent;
  const post = {
    operationId: `${name}.${method.name}`,
    tags: [name],
    ...description(method),
    requestBody: { required: true, content: content(schemaRef(method.input.name)) },
    responses: {
      200: { description: 'The answer.', content: content(schemaRef(method.output.name)) },
      default: { description: 'The call failed.', content: content(schemaRef('ConnectError')) },
    },
  };
  return [`/${typeName}/${method.name}`, { post }];
}
