import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LANGUAGES, type Language, VENV } from '../codegen/languages.ts';
import { type MeshProcess, startMeshProcess, temporaryFolder } from '../fixtures/mesh-process.ts';
import { startFaultProxy } from './fault-proxy.ts';

/** Every SDK runs its own tests and its example, in its own toolchain, against one mesh. */
const folder = temporaryFolder();
let mesh: MeshProcess;

beforeAll(async () => {
  mesh = await startMeshProcess(join(folder.path, 'data'));
});
afterAll(async () => {
  await mesh.kill();
  folder[Symbol.dispose]();
});

const maven = 'mvn -q -B -Dstyle.color=never -f gen/java/pom.xml';

const SDKS: { language: Language; tests: string; example: string }[] = [
  {
    language: LANGUAGES.typescript,
    tests: 'cd gen/ts && node build.js && node --test test/*.test.ts',
    // From the package as others install it.
    example: `cd gen/ts && npm pack --silent --pack-destination ${folder.path} && cp examples/quickstart.js ${folder.path}
      cd ${folder.path} && mv quickstart.js quickstart.mjs
      npm install --silent --no-save --prefix . ./clickmesh-client-*.tgz && node quickstart.mjs`,
  },
  {
    language: LANGUAGES.python,
    tests: `${VENV}/bin/python -m pip install --quiet gen/python && ${VENV}/bin/python -m pytest gen/python`,
    example: `${VENV}/bin/python gen/python/examples/quickstart.py`,
  },
  {
    language: LANGUAGES.go,
    tests: 'cd gen/go && go vet ./... && go test -count=1 ./...',
    example: 'cd gen/go && go run ./examples/quickstart',
  },
  {
    language: LANGUAGES.java,
    tests: `${maven} verify`,
    example: `${maven} dependency:build-classpath -Dmdep.outputFile=target/classpath
      cd gen/java && java -cp "target/clickmesh-client-0.2.0.jar:$(cat target/classpath)" examples/Quickstart.java`,
  },
];

for (const { language, tests, example } of SDKS) {
  const tools = language.tools.filter((tool) => tool !== 'node');
  const tags = tools.length > 0 ? [...tools, 'long'] : [];
  describe(language.name, { tags }, () => {
    test('sends, reads and survives lost answers', async () => {
      language.installTools?.();
      await using flaky = await startFaultProxy(mesh.url, 'cut every other');
      await shell(tests, { CLICKMESH_FLAKY_URL: flaky.url });
      // How many depends on how many connections the client had opened when each was lost.
      expect(flaky.cuts(), 'answers lost').toBeGreaterThan(0);
    }, 300_000);

    test('has an example that works', () => shell(example), 120_000);
  });
}

/** Fails with what the script printed, unless it exits with 0. */
async function shell(script: string, variables: Record<string, string> = {}): Promise<void> {
  const env = { ...process.env, CLICKMESH_URL: mesh.url, ...variables };
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output = (output + chunk).slice(-10_000);
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  expect(code, output).toBe(0);
}
