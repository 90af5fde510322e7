/** What counts may be kept by, beside metadata: of the click, but for the type of the conversion. */
export const FIELDS = ['campaign_id', 'ad_id', 'source', 'conversion_type'] as const;
export type Field = (typeof FIELDS)[number];

const METADATA = 'metadata.';
/** The value that a click's metadata has under a key; empty where it has none. */
type MetadataDimension = `${typeof METADATA}${string}`;
export type Dimension = Field | MetadataDimension;

/** Most of one rollup: rollup_stats has a column for each. */
export const MAX_DIMENSIONS = 4;
/** Most keys of metadata that all rollups together are by: each click that is kept is kept with its values of them. */
export const MAX_METADATA_KEYS = 4;
/*
 * How many values a key of metadata may have has no bound of its own. Those beyond one would count together, and
 * which these are would have to be the same in whatever order events arrive: the first to come, or the most frequent
 * so far, are not. So the bounds are those of all counters: in memory their share of USER_CACHE_MB, which a flush
 * makes room in; on disk a counter with its text for each value and period in each partition, and a row in
 * ClickHouse. A key with another value for each click takes as much as the clicks do: it is no dimension.
 */
/** Bytes up to which a value counts as what it is: it is kept with its click, and in the key of every counter. */
export const MAX_METADATA_VALUE_BYTES = 128;
/** What all longer values count as. */
export const LONG_VALUE = `(longer than ${MAX_METADATA_VALUE_BYTES} bytes)`;
/** A key, which ROLLUPS and the names of its rollups can have. */
const METADATA_KEY = /^[\w.-]{1,64}$/;

export const GRAINS = ['day', 'hour'] as const;
export type Grain = (typeof GRAINS)[number];

/** Counts that are kept: by what, and by day or hour. */
export interface Rollup {
  /** As it is written in ROLLUPS, without spaces: "day:campaign_id,ad_id". */
  name: string;
  grain: Grain;
  /** At least one and at most MAX_DIMENSIONS, in the order in which keys have them. */
  dimensions: readonly Dimension[];
}

/** The dimension that is written so; undefined if none is. */
export function dimensionNamed(text: string): Dimension | undefined {
  if (isOneOf(FIELDS, text)) return text;
  return isMetadata(text) && METADATA_KEY.test(metadataKeyOf(text)) ? text : undefined;
}

export function isMetadata(dimension: string): dimension is MetadataDimension {
  return dimension.startsWith(METADATA);
}

export function metadataKeyOf(dimension: MetadataDimension): string {
  return dimension.slice(METADATA.length);
}

/** Keys of metadata that any of the rollups is by, ascending. */
export function metadataKeysOf(rollups: readonly Pick<Rollup, 'dimensions'>[]): string[] {
  const keys = rollups.flatMap(({ dimensions }) => dimensions.filter(isMetadata).map(metadataKeyOf));
  return [...new Set(keys)].sort();
}

/** What daily_stats is, which is always kept. */
export const DAILY_STATS = parseRollup('day:campaign_id,source,conversion_type');

/**
 * Reads rollups, separated by semicolons; spaces and DAILY_STATS are left out. Throws an Error that says what is wrong.
 */
export function parseRollups(text: string): Rollup[] {
  const rollups = text
    .replaceAll(' ', '')
    .split(';')
    .filter((each) => each !== '')
    .map(parseRollup);
  const names = rollups.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`has ${twice} twice`);
  const keys = metadataKeysOf(rollups);
  if (keys.length > MAX_METADATA_KEYS) {
    throw new Error(`is by more than ${MAX_METADATA_KEYS} keys of metadata: ${keys.join(', ')}`);
  }
  return rollups.filter(({ name }) => name !== DAILY_STATS.name);
}

function parseRollup(name: string): Rollup {
  const [grain, list, ...rest] = name.split(':');
  if (!isOneOf(GRAINS, grain!) || list === undefined || rest.length > 0) {
    throw new Error(`has "${name}", which does not look like day:campaign_id,ad_id or hour:campaign_id`);
  }
  const dimensions = list.split(',').map((text) => {
    const dimension = dimensionNamed(text);
    if (dimension !== undefined) return dimension;
    throw new Error(
      isMetadata(text)
        ? `has "${text}", whose key is not 1 to 64 letters, digits or any of _.-`
        : `has "${text}", which is no dimension: known are ${FIELDS.join(', ')} and any key of metadata, as ${METADATA}geo`,
    );
  });
  if (dimensions.length > MAX_DIMENSIONS) throw new Error(`has more than ${MAX_DIMENSIONS} dimensions in ${name}`);
  if (new Set(dimensions).size < dimensions.length) throw new Error(`has a dimension twice in ${name}`);
  return { name, grain, dimensions };
}

function isOneOf<T extends string>(known: readonly T[], text: string): text is T {
  return (known as readonly string[]).includes(text);
}
