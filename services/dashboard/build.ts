/**
 * Builds dist/, which gateways serve at /: the page, its script and its style, and each of them compressed. Runs when
 * npm has installed what the repository needs; an installation without what is only for development has to bring dist/
 * along.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const root = import.meta.dirname;

/** Resolves with false if what builds it is not installed. */
export async function buildDashboard(outDir: string): Promise<boolean> {
  const vite = await import('vite').catch((thrown) => {
    if (thrown.code !== 'ERR_MODULE_NOT_FOUND') throw thrown;
  });
  if (vite === undefined) return false;
  const { version } = JSON.parse(readFileSync(join(root, '../../package.json'), 'utf8'));
  await vite.build({
    root,
    base: './',
    configFile: false,
    logLevel: 'warn',
    define: { CLICKMESH_VERSION: JSON.stringify(version) },
    build: { outDir, target: 'es2023', modulePreload: false, chunkSizeWarningLimit: 1000, emptyOutDir: true },
  });
  compress(outDir);
  return true;
}

function compress(folder: string): void {
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = readFileSync(path);
    writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params }));
    writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  }
}

if (import.meta.main && !(await buildDashboard(join(root, 'dist'))))
  process.stdout.write('The dashboard was not built: vite is not installed.\n');
