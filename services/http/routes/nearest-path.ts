/** Longest path that is compared with those that are served: each pair costs the product of their lengths. */
const MAX_COMPARED = 200;
/** Fewer edits than this are taken for a slip. */
const TYPO_EDITS = 3;

/** Says what is served near a path at which nothing is; empty if nothing is near. */
export function nearbyHint(path: string, served: readonly string[]): string {
  if (path.length > MAX_COMPARED) return '';
  const prefixed = served.filter((one) => path.endsWith(one)).sort((a, b) => b.length - a.length)[0];
  if (prefixed !== undefined) {
    const prefix = path.slice(0, -prefixed.length);
    return `: clickmesh was reached, which serves ${prefixed}, without ${prefix} before it`;
  }
  const nearest =
    served.find((one) => one.endsWith(path) && path.length > 1) ??
    nearestOf(path, served, Math.min(TYPO_EDITS, path.length / 3)) ??
    served.filter((one) => path.startsWith(`${one}/`)).sort((a, b) => b.length - a.length)[0] ??
    nearestOf(path, served, path.length / 3);
  return nearest === undefined ? '' : `: the nearest path is ${nearest}`;
}

/** Of a POST to a path that takes none, says which do; empty for other methods, and where no path does. */
export function postHint(method: string, path: string, posts: readonly string[]): string {
  if (method !== 'POST' || posts.length === 0 || posts.includes(path)) return '';
  return `; POST goes to ${ANY_OF.format(posts)}`;
}

const ANY_OF = new Intl.ListFormat('en', { type: 'disjunction' });

/** The path that the fewest edits lead to, if those are less than `limit`. Case costs nothing. */
function nearestOf(path: string, served: readonly string[], limit: number): string | undefined {
  let nearest: string | undefined;
  let fewest = limit;
  for (const one of served) {
    if (Math.abs(one.length - path.length) >= fewest) continue;
    const edits = distance(path.toLowerCase(), one.toLowerCase());
    if (edits >= fewest) continue;
    nearest = one;
    fewest = edits;
  }
  return nearest;
}

/** Levenshtein's: how many characters are to be added, left out or replaced. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
