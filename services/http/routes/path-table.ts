const PARAMETER = /\{(\w+)\}/g;

/**
 * Values by paths and by patterns of paths, such as /c/{ad_id}, where a parameter stands for one or more characters
 * other than a slash. A path without parameters goes before the patterns that match it, an earlier pattern before a
 * later one.
 */
export class PathTable<T> {
  readonly #paths = new Map<string, T>();
  readonly #matchers: { matcher: RegExp; value: T }[] = [];
  /** Paths and patterns, in their order. */
  readonly patterns: readonly string[];

  constructor(entries: Iterable<readonly [pattern: string, value: T]>) {
    const all = [...entries];
    this.patterns = all.map(([pattern]) => pattern);
    for (const [pattern, value] of all) {
      if (pattern.includes('{')) this.#matchers.push({ matcher: matcherOf(pattern), value });
      else this.#paths.set(pattern, value);
    }
  }

  /** Undefined if neither a path nor a pattern matches. */
  find(path: string): T | undefined {
    return this.#paths.get(path) ?? this.#matchers.find(({ matcher }) => matcher.test(path))?.value;
  }
}

/** A pattern whose parameters are its groups, by their names. */
export function matcherOf(pattern: string): RegExp {
  return new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll(PARAMETER, '(?<$1>[^/]+)')}$`);
}

/** Names of the parameters. */
export function parametersOf(pattern: string): string[] {
  return [...pattern.matchAll(PARAMETER)].map(([, name]) => name!);
}

/** The same text for patterns that match the same paths. */
export function shapeOf(pattern: string): string {
  return pattern.replaceAll(PARAMETER, '{}');
}

/** Scheme and authority, which a request to a proxy has before its path, and any server must take (RFC 9112, 3.2.2). */
const ORIGIN = /^https?:\/\/[^/]*/i;

/**
 * The path without the origin before it, without doubled slashes, and without one at its end: as people mean it who
 * join URLs from parts.
 */
export function tidyPath(path: string): string {
  const single = `/${path.replace(ORIGIN, '')}`.replaceAll(/\/{2,}/g, '/');
  return single.length > 1 && single.endsWith('/') ? single.slice(0, -1) : single;
}
