import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from './codegen/generate.ts';

/** Generates everything again beside the committed output and fails if they differ. */
const fresh = mkdtempSync(join(tmpdir(), 'clickmesh-generated-'));
try {
  for (const folder of generate(fresh)) {
    const { status } = spawnSync('git', ['diff', '--no-index', '--stat', folder, join(fresh, folder)], {
      stdio: 'inherit',
    });
    if (status === 0) continue;
    process.stderr.write(`${folder} is not what proto/ generates: run \`npm run generate\` and commit\n`);
    process.exitCode = 1;
  }
} finally {
  rmSync(fresh, { recursive: true });
}
