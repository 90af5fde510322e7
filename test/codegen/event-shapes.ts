import type { DescExtension, FileRegistry } from '@bufbuild/protobuf';
import { type EventShape, shapesOf } from '../../services/contract/event-rules.ts';

/** The event types of the contract that a plugin was given, whose options may not yet be those that gen/ has. */
export function eventShapes(registry: FileRegistry): EventShape[] {
  const option = (name: string) => registry.getExtension(`clickmesh.v1.${name}`) as DescExtension;
  const options = { event: option('event'), rule: option('rule') } as unknown as Parameters<typeof shapesOf>[1];
  return shapesOf(registry.getMessage('clickmesh.v1.Event')!, options);
}
