import type { DescEnum } from '@bufbuild/protobuf';

/**
 * The values of an enum by their names in REST: in lower case, without the enum's own. Not the unspecified one, which
 * is left out there.
 */
export function shortNames(values: DescEnum): ReadonlyMap<string, number> {
  return new Map(specified(values).map(({ localName, number }) => [localName.toLowerCase(), number]));
}

/** Names of an enum's values in Protobuf and its JSON, as errors list them: not the unspecified one. */
export function protobufNames(values: DescEnum): string[] {
  return specified(values).map(({ name }) => name);
}

function specified({ values }: DescEnum): DescEnum['values'] {
  return values.filter(({ number }) => number !== 0);
}
