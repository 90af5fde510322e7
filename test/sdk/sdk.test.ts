import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isInstalled, LANGUAGES, type Language } from '../codegen/languages.ts';
import { type MeshProcess, startMeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';
import { type FlakyProxy, startFlakyProxy } from './flaky-proxy.ts';

/** Every SDK runs its own tests and its example, in its own toolchain, against one mesh. */
const folder = temporaryFolder();
let mesh: MeshProcess;
let flaky: FlakyProxy;

beforeAll(async () => {
  mesh = await startMeshProcess(join(folder.path, 'data'));
  flaky = await startFlakyProxy(mesh.url);
});
afterAll(async () => {
  await flaky.close();
  await mesh.kill();
  folder[Symbol.dispose]();
});

const SDKS: { language: Language; tests: string; example: string }[] = [
  {
    language: LANGUAGES.go,
    tests: 'cd gen/go && go vet ./... && go test -count=1 ./...',
    example: 'cd gen/go && go run ./examples/quickstart',
  },
];

describe.each(SDKS)('$language.name', ({ language, tests, example }) => {
  test.runIf(isInstalled(language))(
    'sends, reads and survives lost answers',
    async () => {
      const lostBefore = flaky.lost();
      expect(await shell(tests)).toMatchObject({ code: 0 });
      expect(flaky.lost() - lostBefore, 'answers lost').toBeGreaterThanOrEqual(3);
    },
    300_000,
  );

  test.runIf(isInstalled(language))(
    'has an example that works',
    async () => {
      expect(await shell(example)).toMatchObject({ code: 0 });
    },
    120_000,
  );
});

async function shell(script: string): Promise<{ code: number | null; output: string }> {
  const env = { ...process.env, CLICKMESH_URL: mesh.url, CLICKMESH_FLAKY_URL: flaky.url };
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output = (output + chunk).slice(-10_000);
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}
