import { execFileSync, spawnSync } from 'node:child_process';

/**
 * `buf breaking` against what others already build on: the main branch of the origin, unless that is this very commit.
 * BREAKING_AGAINST names another git revision.
 */
function git(...args: string[]): string | undefined {
  const { status, stdout } = spawnSync('git', args, { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

const against = git('rev-parse', '--verify', '--quiet', process.env.BREAKING_AGAINST ?? 'origin/main');
if (against === undefined || against === git('rev-parse', 'HEAD')) {
  process.stdout.write('buf breaking: there is no other main to compare with\n');
} else {
  execFileSync('buf', ['breaking', '--against', `.git#ref=${against}`], { stdio: 'inherit' });
  process.stdout.write(`buf breaking: compatible with ${against}\n`);
}
