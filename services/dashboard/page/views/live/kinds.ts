/** Kinds of events to choose from. */
export const KINDS: readonly (readonly [name: string, title: string, types: readonly string[]])[] = [
  ['all', 'All', []],
  ['clicks', 'Clicks', ['click']],
  ['conversions', 'Conversions', ['conversion']],
  ['corrections', 'Corrections', ['adjustment', 'verdict']],
];
