import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** What of playwright-core is used here: its types are installed with it, when the tests run. */
export interface Page {
  goto(url: string): Promise<unknown>;
  evaluate<T, A>(script: (argument: A) => T | Promise<T>, argument?: A): Promise<T>;
  on(event: 'console', tell: (message: { text(): string }) => void): void;
}
export interface Browser {
  newPage(): Promise<Page>;
  newContext(): Promise<{
    newPage(): Promise<Page>;
    setOffline(isOffline: boolean): Promise<void>;
    close(): Promise<void>;
  }>;
  close(): Promise<void>;
}

const SOURCE = import.meta.dirname;
/** Kept for the next run: tests of a machine share it. */
const INSTALLED = join(tmpdir(), 'clickmesh-browser');

/** The path of Debian's Chromium; undefined where there is none. */
function chromiumPath(): string | undefined {
  return process.env
    .PATH!.split(delimiter)
    .map((folder) => join(folder, 'chromium'))
    .find((path) => existsSync(path));
}

/** The path of Chromium, which is installed first where it is missing. */
export function installedChromium(): string {
  if (chromiumPath() === undefined) {
    run('apt-get', 'update', '-qq');
    run('apt-get', 'install', '-qq', '-y', '--no-install-recommends', 'chromium');
  }
  return chromiumPath()!;
}

/** Starts Chromium, which is installed first where it is missing, as is what drives it. */
export async function startChromium(...args: string[]): Promise<Browser> {
  const executablePath = installedChromium();
  mkdirSync(INSTALLED, { recursive: true });
  for (const name of ['package.json', 'package-lock.json']) cpSync(join(SOURCE, name), join(INSTALLED, name));
  const module = join(INSTALLED, 'node_modules/playwright-core/index.mjs');
  if (!existsSync(module)) run('npm', 'ci', '--prefix', INSTALLED, '--ignore-scripts', '--no-audit', '--no-fund');
  const { chromium } = (await import(module)) as {
    chromium: { launch(options: { executablePath: string; args: string[] }): Promise<Browser> };
  };
  return chromium.launch({ executablePath, args: ['--no-sandbox', ...args] });
}

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
