import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseMeshConfig } from '../../services/processes/settings/config.ts';
import { startMeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';

interface Setting {
  name: string;
  /** As the README has it; undefined for none. */
  fallback: string | undefined;
  example: string;
}

/** The rows of the README's table of settings. */
const settings: Setting[] = [
  ...readFileSync('README.md', 'utf8').matchAll(/^\| `([A-Z_]+)` \| (?:`([^`]*)`|none) \| `\1=([^`]*)` \| .+ \|$/gm),
].map(([, name, fallback, example]) => ({ name: name!, fallback, example: example! }));

test('every setting has a row in the README, with an example', () => {
  const { attribution, ...own } = parseMeshConfig({});
  expect(settings.map(({ name }) => name).sort()).toEqual([...Object.keys(own), ...Object.keys(attribution)].sort());
});

test.each(settings)('$name is $fallback by default, and its example says something else', (setting) => {
  const { name, fallback, example } = setting;
  expect(parseMeshConfig({ [name]: fallback })).toEqual(parseMeshConfig({}));
  expect(parseMeshConfig({ [name]: example })).not.toEqual(parseMeshConfig({}));
});

test('a mesh starts with the examples of all settings', async () => {
  const folder = temporaryFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  const examples = Object.fromEntries(settings.map(({ name, example }) => [name, example]));
  // A server that is not there would be waited for.
  delete examples.CLICKHOUSE_URL;
  const mesh = await startMeshProcess('', { ...examples, DATA_DIR: join(folder.path, examples.DATA_DIR!) });
  onTestFinished(() => mesh.kill());
  expect((await fetch(`${mesh.url}/readyz`)).status).toBe(200);
});
