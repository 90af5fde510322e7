import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway, type TestGateway } from '../fixtures/gateway.ts';
import { temporaryFolder } from '../fixtures/mesh-process.ts';

/**
 * What gen/ts/README.md says, word by word, in a folder where nothing else is: only the places of the checkout and of
 * the gateway are others'.
 */
const README = readFileSync('gen/ts/README.md', 'utf8');
const blocks = [...README.matchAll(/```(\w+)\n(.*?)```/gs)].map(([, language, text]) => ({
  language: language!,
  text: text!,
}));
const PROGRAMS = blocks.filter(({ language }) => /^c?js$/.test(language)).map((block, i) => ({ ...block, i }));
/** Events that each program stores. */
const STORED = [2, 1, 3, 0, 20_000, 0];
const NODES = ['20.20.2', '22.23.3', '24.21.0'];
/** The oldest that its types are for. */
const TYPESCRIPT = '5.4';
/** How programs tell TypeScript to find packages. */
const RESOLUTIONS = [
  ['CommonJS as it was', 'use.ts', '--module commonjs --moduleResolution node'],
  ['Node, module', 'use.mts', '--module nodenext'],
  ['Node, CommonJS', 'use.cts', '--module nodenext'],
  ['bundlers', 'use.ts', '--module esnext --moduleResolution bundler'],
] as const;

const folder = temporaryFolder();
const app = join(folder.path, 'app');
let gateway: TestGateway;

/** Runs a script of bash without what the repository adds to the path. */
async function shell(cwd: string, script: string): Promise<string> {
  const path = process.env.PATH!.split(':').filter((part) => !part.includes('node_modules'));
  const env = { ...process.env, PATH: path.join(':') };
  const { stdout, stderr } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { cwd, env });
  return stdout + stderr;
}

function here(text: string): string {
  return text
    .replaceAll('/path/to/clickmesh/gen/ts', join(folder.path, 'ts'))
    .replaceAll('http://127.0.0.1:8080', gateway.url);
}

const nodeOf = (version: string) => join(folder.path, version, `node_modules/node-linux-${process.arch}/bin/node`);

describe('a newcomer', { tags: 'long' }, () => {
  beforeAll(async () => {
    gateway = await startGateway();
    cpSync('gen/ts', join(folder.path, 'ts'), {
      recursive: true,
      filter: (path) => !/gen\/ts\/(?:dist|cjs|node_modules)$/.test(path),
    });
    mkdirSync(app);
    await shell(app, 'npm init -y');
    const [pack, install] = blocks.filter(({ language }) => language === 'sh');
    await shell(app, here(pack!.text));
    const told = await shell(app, here(install!.text));
    expect(told, 'npm warns').not.toContain('warn');
    for (const version of NODES) {
      mkdirSync(join(folder.path, version));
      await shell(join(folder.path, version), `npm install --silent --no-save node-linux-${process.arch}@${version}`);
    }
  }, 300_000);
  afterAll(async () => {
    await gateway?.close();
    folder[Symbol.dispose]();
  });

  for (const version of NODES) {
    test.each(PROGRAMS)(
      `runs example $i ($language) on Node ${version}`,
      async ({ language, text, i }) => {
        const file = `example-${i}.${language === 'js' ? 'mjs' : 'js'}`;
        writeFileSync(join(app, file), here(text));
        let stored = 0;
        gateway.log.beforeAppend = (records) => {
          stored += records.length;
        };
        const { stderr } = await promisify(execFile)(nodeOf(version), [file], { cwd: app });
        expect({ stderr, stored }).toEqual({ stderr: '', stored: STORED[i] });
      },
      60_000,
    );
  }

  test.each(RESOLUTIONS)(
    `has types for TypeScript ${TYPESCRIPT}: %s`,
    async (_, file, options) => {
      await shell(app, `npm install --silent typescript@${TYPESCRIPT}`);
      const program = `
      import { connectClickmesh, type Acceptance } from 'clickmesh-client';
      const client = connectClickmesh('http://127.0.0.1:8080', { timeoutMs: 1000 });
      const ids = { userId: 'u', adId: 'a', campaignId: 'c' };
      const answer: Promise<Acceptance> = client.track({ type: 'click', ...ids, source: 's', timestamp: new Date() });
      answer.then(({ timestamp }) => timestamp + 1);
      // @ts-expect-error
      client.track({ type: 'click', ...ids });
      // @ts-expect-error
      client.track({ event: 'conversion', userId: 'u', type: 'purchase', source: 's', revenue: 5 });`;
      writeFileSync(join(app, file), program);
      await shell(app, `npx tsc --noEmit --strict --skipLibCheck --target es2022 ${options} ${file}`);
    },
    120_000,
  );
});
