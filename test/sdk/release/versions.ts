import { readFileSync } from 'node:fs';

const OF_MAVEN = /<artifactId>clickmesh-client<\/artifactId>\s*<version>([^<]+)</;
/** Where the version of the clients is written, all of which are released together. */
const PLACES: readonly [path: string, pattern: RegExp][] = [
  ['package.json', /"version": "([^"]+)"/],
  ['gen/ts/package.json', /"version": "([^"]+)"/],
  ['gen/ts/README.md', /clickmesh-client-(\S+?)\.tgz/],
  ['gen/python/pyproject.toml', /^version = "([^"]+)"/m],
  ['gen/python/clickmesh/transport.py', /clickmesh-python\/([^"]+)"/],
  ['gen/go/README.md', /gen\/go@v(\S+)/],
  ['gen/java/pom.xml', OF_MAVEN],
  ['gen/java/README.md', OF_MAVEN],
];

/** The version. Throws an Error that names the places that have another, or says that the changelog has none of it. */
export function releasedVersion(read = (path: string) => readFileSync(path, 'utf8')): string {
  const found = PLACES.map(([path, pattern]) => [path, pattern.exec(read(path))?.[1]] as const);
  const [[, version]] = found as [readonly [string, string | undefined]];
  const others = found.filter(([, each]) => each === undefined || each !== version);
  if (others.length > 0) {
    const told = others.map(([path, each]) => `${path} has ${each ?? 'none'}`).join(', ');
    throw new Error(`package.json has version ${version}, but ${told}`);
  }
  if (!isInChangelog(version!, read('CHANGELOG.md'))) throw new Error(`CHANGELOG.md says nothing of ${version}`);
  return version!;
}

/** Whether the changelog has a section of the version. Before that it is a section "Unreleased" that names it. */
export function hasSection(version: string, changelog: string): boolean {
  return changelog.split('\n').some((line) => line.startsWith('## ') && line.includes(version));
}

function isInChangelog(version: string, changelog: string): boolean {
  const [, after = ''] = changelog.split(/^## Unreleased$/m);
  const [unreleased] = after.split(/^## /m);
  return hasSection(version, changelog) || unreleased!.includes(version);
}
