import type { DescEnum } from '@bufbuild/protobuf';

/**
 * The values of an enum by their names outside of Protobuf: in lower case, without the enum's own. Not the unspecified
 * one, which is left out there.
 */
export function shortNames({ values }: DescEnum): ReadonlyMap<string, number> {
  const specified = values.filter(({ number }) => number !== 0);
  return new Map(specified.map(({ localName, number }) => [localName.toLowerCase(), number]));
}
