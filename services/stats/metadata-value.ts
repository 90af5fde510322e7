import { type Dimension, LONG_VALUE, MAX_METADATA_VALUE_BYTES, metadataKeyOf } from '../contract/rollups.ts';

/** Puts a value into the parameters and returns its name. */
export function bind(params: Record<string, unknown>, value: unknown): string {
  const name = `p${Object.keys(params).length}`;
  params[name] = value;
  return name;
}

/** What a column of metadata has under a dimension's key, as rollups have it. */
export function metadataValue(
  column: string,
  dimension: Dimension & `metadata.${string}`,
  params: Record<string, unknown>,
): string {
  const value = `${column}[{${bind(params, metadataKeyOf(dimension))}:String}]`;
  return `if(length(${value}) > ${MAX_METADATA_VALUE_BYTES}, '${LONG_VALUE}', ${value})`;
}
