import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';

/**
 * What tests need beside Node and npm, by the tag that says so. Tests of what is missing are skipped, and named at the
 * end of the run.
 */
interface Need {
  tag: string;
  description: string;
  isMet(): boolean;
  /** `.ci/run` goes on without it; everything else must be there, so that nothing is left out unnoticed. */
  optional?: true;
}

/** Tests with this tag are left to `npm run test:all`. */
const LONG = 'long';
const OLDEST_JAVA = 17;
/** 100,000 clicks of a public data set, which are not in the repository. */
export const REAL_CLICKS = '../shared/data';

const NEEDS: readonly Need[] = [
  command('curl'),
  command('git'),
  command('go', 'Go'),
  { tag: 'java', description: `Java ${OLDEST_JAVA} or newer`, isMet: () => javaVersion() >= OLDEST_JAVA },
  command('mvn', 'Maven'),
  command('python3', 'Python'),
  // Tests install it where they may.
  {
    ...command('chromium', 'Chromium'),
    isMet: () => isThere('chromium') || (process.getuid?.() === 0 && isThere('apt-get')),
  },
  { ...command('wrk'), optional: true },
  { ...command('h2load'), optional: true },
  { tag: 'real-clicks', description: `the data in ${REAL_CLICKS}`, isMet: () => existsSync(REAL_CLICKS) },
  { tag: 'tmpfs', description: 'the right to mount a tmpfs', isMet: mayMount, optional: true },
];

/** What a broker of Kafka is made with: tests that start one take long. */
export const KAFKA = ['java', 'mvn', LONG];

/** Returns the needs that this machine does not meet, of `tags` or of all. */
export function unmetNeeds(tags?: readonly string[]): Need[] {
  return NEEDS.filter(({ tag, isMet }) => (tags?.includes(tag) ?? true) && !isMet());
}

/**
 * Returns the tags as vitest takes them: tests of unmet needs are skipped. Throws where TEST_NEEDS=all says that only
 * optional needs are unmet.
 */
export function testTags(unmet: readonly Need[]): { name: string; description: string; skip?: true }[] {
  const required = unmet.filter(({ optional }) => optional === undefined);
  if (process.env.TEST_NEEDS === 'all' && required.length > 0)
    throw new Error(`not all tests can run, for want of ${listed(required)}`);
  const needs = NEEDS.map((need) => ({
    name: need.tag,
    description: `needs ${need.description}`,
    ...(unmet.includes(need) && { skip: true as const }),
  }));
  return [...needs, { name: LONG, description: 'takes long: left to `npm run test:all`' }];
}

/** Ends a run with what it left out, and for want of what. */
export class LeftOutReporter implements Reporter {
  readonly #unmet: readonly Need[];
  /** The command line leaves out what takes long. */
  #isShort = false;

  constructor(unmet: readonly Need[]) {
    this.#unmet = unmet;
  }

  onInit(vitest: Vitest): void {
    this.#isShort = vitest.config.tagsFilter?.includes(`!${LONG}`) ?? false;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped = modules.flatMap((module) => [...module.children.allTests('skipped')]);
    const byReason = Map.groupBy(skipped, (test) => this.#reason(test));
    byReason.delete(undefined);
    if (byReason.size === 0) return;
    const lines = [...byReason].map(([reason, tests]) => `  ${reason}: ${byFile(tests)}\n`);
    process.stdout.write(`Left out:\n${lines.sort().join('')}\n`);
  }

  /** Returns why a test was skipped; undefined if only the command line chose others. */
  #reason({ tags }: TestCase): string | undefined {
    const wanted = listed(this.#unmet.filter(({ tag }) => tags.includes(tag)));
    if (this.#isShort && tags.includes(LONG))
      return `left to \`npm run test:all\`${wanted && `, which needs ${wanted}`}`;
    return wanted === '' ? undefined : `for want of ${wanted}`;
  }
}

/** Returns the needs as a sentence has them. */
export function listed(needs: readonly Need[]): string {
  return needs.map(({ description }) => description).join(' and ');
}

/** Returns the files of tests, each with their number. */
function byFile(tests: readonly TestCase[]): string {
  const files = Map.groupBy(tests, ({ module }) => module.relativeModuleId);
  return [...files].map(([file, { length }]) => `${file} (${length})`).join(', ');
}

function command(name: string, description = name): Need {
  return { tag: name, description, isMet: () => isThere(name) };
}

function isThere(name: string): boolean {
  return process.env.PATH!.split(delimiter).some((folder) => existsSync(join(folder, name)));
}

/** Returns the major version; 0 without Java. */
function javaVersion(): number {
  const { stderr } = spawnSync('java', ['-version'], { encoding: 'utf8' });
  return Number(/version "(\d+)/.exec(stderr ?? '')?.[1] ?? 0);
}

/** Tries it where nobody else sees it. */
function mayMount(): boolean {
  return spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()]).status === 0;
}
