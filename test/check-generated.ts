import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Generates everything again beside the committed output and fails if they differ. */
const fresh = mkdtempSync(join(tmpdir(), 'clickmesh-generated-'));
try {
  execFileSync('buf', ['generate', '--output', fresh], { stdio: 'inherit' });
  const { status } = spawnSync('git', ['diff', '--no-index', '--stat', 'gen', join(fresh, 'gen')], {
    stdio: 'inherit',
  });
  if (status !== 0) {
    process.stderr.write('gen/ is not what proto/ generates: run `npm run generate` and commit\n');
    process.exitCode = 1;
  }
} finally {
  rmSync(fresh, { recursive: true });
}
