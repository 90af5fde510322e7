import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { releasedVersion } from './versions.ts';

/** The whole is `npm run release:sdk`; this is what costs nothing. */

/** Reads the files of the repository, but for one that has another text in a place. */
function changing(changed: string, from: string | RegExp, to: string) {
  return (path: string) => {
    const text = readFileSync(path, 'utf8');
    return path === changed ? text.replace(from, to) : text;
  };
}

const version = releasedVersion();

test('all clients have one version, and the changelog tells of it', () => {
  expect(version).toMatch(/^\d+\.\d+\.\d+$/);
});

test.each([
  'gen/ts/package.json',
  'gen/ts/README.md',
  'gen/python/pyproject.toml',
  'gen/python/clickmesh/transport.py',
  'gen/go/README.md',
  'gen/java/pom.xml',
  'gen/java/README.md',
])('another version in %s is named', (path) => {
  expect(() => releasedVersion(changing(path, version, '9.9.9'))).toThrow(`${path} has 9.9.9`);
});

test('a version that the changelog does not have is named', () => {
  expect(() => releasedVersion(changing('CHANGELOG.md', new RegExp(version, 'g'), ''))).toThrow(
    'CHANGELOG.md says nothing',
  );
  const of = changing('CHANGELOG.md', '## Unreleased', `## Unreleased\n\n- Nothing.\n\n## 0.0.1`);
  expect(() => releasedVersion(of)).toThrow('CHANGELOG.md says nothing');
});
