/** What counts may be kept by: of the click, but for the type of the conversion. */
export const DIMENSIONS = ['campaign_id', 'ad_id', 'source', 'conversion_type'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

export const GRAINS = ['day', 'hour'] as const;
export type Grain = (typeof GRAINS)[number];

/** Counts that are kept: by what, and by day or hour. */
export interface Rollup {
  /** As it is written in ROLLUPS, without spaces: "day:campaign_id,ad_id". */
  name: string;
  grain: Grain;
  /** At least one and at most four, in the order in which keys have them. */
  dimensions: readonly Dimension[];
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
  return rollups.filter(({ name }) => name !== DAILY_STATS.name);
}

function parseRollup(name: string): Rollup {
  const [grain, list, ...rest] = name.split(':');
  if (!isOneOf(GRAINS, grain!) || list === undefined || rest.length > 0) {
    throw new Error(`has "${name}", which does not look like day:campaign_id,ad_id or hour:campaign_id`);
  }
  const dimensions = list.split(',').map((dimension) => {
    if (isOneOf(DIMENSIONS, dimension)) return dimension;
    const known = `known are ${DIMENSIONS.join(', ')}`;
    throw new Error(
      dimension.startsWith('metadata.')
        ? `has ${dimension}, but metadata is no dimension yet: ${known}`
        : `has "${dimension}", which is no dimension: ${known}`,
    );
  });
  if (new Set(dimensions).size < dimensions.length) throw new Error(`has a dimension twice in ${name}`);
  return { name, grain, dimensions };
}

function isOneOf<T extends string>(known: readonly T[], text: string): text is T {
  return (known as readonly string[]).includes(text);
}
