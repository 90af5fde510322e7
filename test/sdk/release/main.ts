import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { temporaryFolder } from '../../fixtures/mesh-process.ts';
import { go } from './go.ts';
import { maven } from './maven.ts';
import { npm } from './npm.ts';
import { pypi } from './pypi.ts';
import { hasSection, releasedVersion } from './versions.ts';

/**
 * Builds what is published of the clients into a folder, and uses each as a stranger does. Publishes nothing, but says
 * how. `--only npm,go` does a part, `--out` names the folder.
 */
const OUT = 'data/sdk-release';
const { values } = parseArgs({ options: { only: { type: 'string' }, out: { type: 'string', default: OUT } } });
const only = values.only?.split(',');
const packages = [npm, pypi, maven, go].filter(({ name }) => only === undefined || only.includes(name));

const version = releasedVersion();
const left = hasSection(version, readFileSync('CHANGELOG.md', 'utf8'))
  ? []
  : [`CHANGELOG.md: name the section "Unreleased" ${version}`];
for (const { name, build, check, publish } of packages) {
  const out = join(values.out, name);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  using scratch = temporaryFolder();
  process.stdout.write(`${name}: building\n`);
  await build(out, version);
  process.stdout.write(`${name}: checking\n`);
  const untried = await check(out, version, scratch.path);
  for (const each of untried) process.stdout.write(`${name}: ${each}\n`);
  left.push(`${out}: ${publish(version)}`);
}
process.stdout.write(
  `\nVersion ${version} is built. What is left to do:\n${left.map((each) => `- ${each}\n`).join('')}`,
);
