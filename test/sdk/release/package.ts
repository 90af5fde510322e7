import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** What is published in one language. */
export interface Package {
  /** As `--only` names it. */
  name: string;
  /** Commands that it is built with. */
  tools: readonly string[];
  /** Builds the files that are published, into a folder. */
  build(out: string, version: string): Promise<void>;
  /** Uses them as a stranger does, in an empty folder. Returns what could not be tried. */
  check(out: string, version: string, scratch: string): Promise<string[]>;
  /** What is left to do by hand. */
  publish(version: string): string;
}

/** Runs a script of bash, and returns what it prints. Throws an Error with that unless it exits with 0. */
export async function shell(script: string, cwd = '.', env: Record<string, string> = {}): Promise<string> {
  // Without what npm adds to the path of this program.
  const PATH = process.env
    .PATH!.split(':')
    .filter((part) => !part.includes('node_modules'))
    .join(':');
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
    cwd,
    env: { ...process.env, PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let all = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
    all += chunk;
  });
  child.stderr.on('data', (chunk) => {
    all += chunk;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${script}\n${all.slice(-5000)}`);
  return stdout;
}

/** Throws an Error that names the files which do not belong into a package, or what it lacks. */
export function expectFiles(files: readonly string[], allowed: readonly RegExp[], needed: readonly string[]): void {
  const stray = files.filter((file) => !allowed.some((pattern) => pattern.test(file)));
  if (stray.length > 0) throw new Error(`does not belong into the package: ${stray.join(', ')}`);
  const missing = needed.filter((file) => !files.includes(file));
  if (missing.length > 0) throw new Error(`the package has no ${missing.join(', ')}`);
}
