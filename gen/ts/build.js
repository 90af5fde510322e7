/**
 * Builds what the package has beside its sources: dist/ as modules, cjs/ the same for require(), dist/ingest.min.js for
 * pages without a bundler, and the licence.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';

const root = import.meta.dirname;
const modules = ['dist', 'clickmesh/v1'];

for (const folder of ['dist', 'cjs']) rmSync(join(root, folder), { recursive: true, force: true });
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
execFileSync(process.execPath, [join(typescript, 'bin/tsc'), '-p', root], { stdio: 'inherit' });

await write({ input: 'dist/ingest.js' }, { file: 'dist/ingest.min.js', format: 'esm', minify: true });
await write(
  { input: files('.js').filter((path) => !path.endsWith('.min.js')), external: (id) => !/^[./]/.test(id) },
  {
    dir: 'cjs',
    format: 'cjs',
    preserveModules: true,
    preserveModulesRoot: root,
    entryFileNames: '[name].js',
    exports: 'named',
  },
);
for (const path of files('.d.ts')) cpSync(join(root, path), join(root, 'cjs', path));
const imports = { '#platform': { node: './dist/platform-node.js', default: './dist/platform-web.js' } };
writeFileSync(join(root, 'cjs/package.json'), `${JSON.stringify({ type: 'commonjs', sideEffects: false, imports })}\n`);
// A copy of this folder alone has none; what is released is checked to have it.
const license = join(root, '../../LICENSE');
if (existsSync(license)) cpSync(license, join(root, 'LICENSE'));

function files(ending) {
  const all = modules.flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`));
  return all.filter((path) => path.endsWith(ending));
}

async function write(from, { file, dir, ...how }) {
  const bundle = await rolldown({ cwd: root, ...from });
  await bundle.write({ ...how, ...(file ? { file: join(root, file) } : { dir: join(root, dir) }) });
  await bundle.close();
}
