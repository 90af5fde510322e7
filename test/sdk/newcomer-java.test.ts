import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway, type TestGateway } from '../fixtures/gateway.ts';
import { temporaryFolder } from '../fixtures/mesh-process.ts';

/** What gen/java/README.md says to a newcomer, word for word in a fresh folder, but for the two addresses. */
const README = readFileSync('gen/java/README.md', 'utf8');
const folder = temporaryFolder();
let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(async () => {
  await gateway.close();
  folder[Symbol.dispose]();
});

/** The blocks of a language, in their order. */
function blocks(language: string): string[] {
  return [...README.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))].map(([, block]) => block!);
}

function run(script: string): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder.path });
}

test('install and first program', { tags: ['java', 'mvn', 'long'], timeout: 300_000 }, async () => {
  const [install, start] = blocks('sh');
  const [program] = blocks('java');
  const [project] = blocks('xml');
  expect(project).toContain(/<version>(.*)<\/version>/.exec(readFileSync('gen/java/pom.xml', 'utf8'))![0]);
  mkdirSync(join(folder.path, 'src/main/java'), { recursive: true });
  writeFileSync(join(folder.path, 'pom.xml'), project!);
  writeFileSync(join(folder.path, 'src/main/java/First.java'), program!.replace('http://127.0.0.1:8080', gateway.url));

  await run(install!.replace('/path/to/clickmesh', process.cwd()));
  const { stderr } = await run(start!);

  expect(stderr).toContain('user_id is required\n');
  expect(gateway.log.records('raw-events')).toHaveLength(3);
});
