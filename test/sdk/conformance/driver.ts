import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { LANGUAGES, type Language, VENV } from '../../codegen/languages.ts';

/** The programs that gen/README.md describes: commands on standard input, answers on standard output, one a line. */

export interface Identity {
  event_id: string;
  timestamp: number;
}
export interface Refusal extends Identity {
  field: string;
  reason: string;
  limit: string;
  message: string;
}
export interface ClientError {
  kind: 'failed' | 'full' | 'closed' | 'notSent' | 'option' | 'cancelled' | 'other';
  message: string;
  events?: Identity[];
  notSent?: number;
}
export interface Result {
  accepted?: Identity & { stored_id: string; ignored: string[] };
  rejected?: Refusal;
  error?: ClientError;
}
export type Counters = Record<'queued' | 'sent' | 'rejected' | 'lost' | 'stored' | 'waiting', number>;

/** Each field comes with the commands that gen/README.md names beside it. */
export interface Answer {
  id: number;
  unsupported?: string;
  fault?: string;
  error?: ClientError;
  result?: Result;
  results?: Result[];
  accepted?: number;
  rejected?: number;
  failed?: number;
  rejections?: { index: number; rejected: Refusal }[];
  tookMs?: number;
  done?: boolean;
  event?: { fields: Record<string, unknown> };
  object?: Record<string, unknown>;
  second?: { tookMs: number; error?: ClientError };
  isInterrupted?: boolean;
  counters?: Counters;
  errors?: { error: ClientError; events: Identity[] }[];
  warnings?: string[];
  events?: Identity[];
  rows?: Record<string, unknown>[];
  threadsBefore?: number;
  threadsAfter?: number;
  exitCode?: number;
}

/** The language has nothing that a statement could be tried with. */
export class Skipped extends Error {}

export type LanguageName = keyof typeof LANGUAGES;

interface Program {
  language: Language;
  /** Without it there is no driver yet. */
  source: string;
  /** A script of bash, from the root of the repository. */
  build: string;
  command: [string, ...string[]];
}

const GO_DRIVER = 'gen/go/bin/driver';
const JAVA_CLASSES = 'gen/java/target/classes:gen/java/target/test-classes';

export const PROGRAMS: Readonly<Record<LanguageName, Program>> = {
  typescript: {
    language: LANGUAGES.typescript,
    source: 'gen/ts/test/driver.mjs',
    build: 'tsc -p gen/ts',
    command: ['node', 'gen/ts/test/driver.mjs'],
  },
  python: {
    language: LANGUAGES.python,
    source: 'gen/python/tests/driver.py',
    build: `${VENV}/bin/python -m pip install --quiet gen/python`,
    command: [`${VENV}/bin/python`, 'gen/python/tests/driver.py'],
  },
  go: {
    language: LANGUAGES.go,
    source: 'gen/go/internal/driver',
    build: 'cd gen/go && go build -o bin/driver ./internal/driver',
    command: [GO_DRIVER],
  },
  java: {
    language: LANGUAGES.java,
    source: 'gen/java/src/test/java/io/clickmesh/Driver.java',
    build: `mvn -q -B -Dstyle.color=never -f gen/java/pom.xml -DskipTests test-compile dependency:build-classpath \
      -Dmdep.outputFile=target/driver-classpath`,
    command: [
      'bash',
      '-c',
      `exec java -cp "${JAVA_CLASSES}:$(cat gen/java/target/driver-classpath)" io.clickmesh.Driver`,
    ],
  },
};

export function hasDriver(name: LanguageName): boolean {
  return existsSync(PROGRAMS[name].source);
}

/** Why the language can't be tried; undefined once its driver is built. */
export function buildDriver(name: LanguageName): string | undefined {
  const { language, source, build } = PROGRAMS[name];
  if (!hasDriver(name)) return `${source} does not exist`;
  language.installTools?.();
  execFileSync('bash', ['-euo', 'pipefail', '-c', build], { stdio: ['ignore', 'inherit', 'inherit'] });
  return undefined;
}

/** Longest wait for an answer, in ms. */
const ANSWER_TIMEOUT_MS = 60_000;

export interface Driver {
  /** What it wrote to standard error. */
  stderr(): string;
  pid: number;
  /** Resolves with the answer; throws Skipped where the language has nothing for it, and an Error at a fault. */
  do(command: string, fields?: Record<string, unknown>, timeoutMs?: number): Promise<Answer>;
  signal(name: NodeJS.Signals): void;
  /** Exit code, or the signal that ended it. */
  exited: Promise<number | NodeJS.Signals>;
  stop(): Promise<void>;
}

export function startDriver(name: LanguageName, env: Record<string, string> = {}): Driver {
  const [command, ...args] = PROGRAMS[name].command;
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: 'pipe' });
  const asked = new Map<number, (answer: Answer | Error) => void>();
  let stderr = '';
  let ids = 0;
  child.stderr.on('data', (chunk) => {
    stderr = (stderr + chunk).slice(-20_000);
  });
  child.stdin.on('error', () => {});
  createInterface(child.stdout).on('line', (line) => {
    const answer = parsed(line);
    if (answer instanceof Error) for (const tell of asked.values()) tell(answer);
    else asked.get(answer.id)?.(answer);
  });
  const exited = exitOf(child);
  exited.then((code) => {
    for (const tell of asked.values()) tell(new Error(`the driver ended with ${code}: ${stderr.slice(-2000)}`));
  });
  async function ask(what: string, fields: Record<string, unknown>, timeoutMs: number): Promise<Answer> {
    const id = ++ids;
    const told = Promise.withResolvers<Answer | Error>();
    asked.set(id, told.resolve);
    const hangs = () => told.resolve(new Error(`no answer to ${what} in ${timeoutMs / 1000} s: it hangs`));
    const timer = setTimeout(hangs, timeoutMs);
    child.stdin.write(`${JSON.stringify({ id, do: what, ...fields })}\n`);
    const answer = await told.promise;
    clearTimeout(timer);
    asked.delete(id);
    if (answer instanceof Error) throw answer;
    if (answer.unsupported !== undefined) throw new Skipped(answer.unsupported);
    if (answer.fault !== undefined) throw new Error(`fault of the driver: ${answer.fault}`);
    return answer;
  }

  return {
    stderr: () => stderr,
    pid: child.pid!,
    do(what, fields = {}, timeoutMs = ANSWER_TIMEOUT_MS) {
      const answer = ask(what, fields, timeoutMs);
      // One that nobody waits for any more, because something else failed, is no fault of its own.
      answer.catch(() => {});
      return answer;
    },
    signal: (signal) => void child.kill(signal),
    exited,
    async stop() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function parsed(line: string): Answer | Error {
  try {
    return JSON.parse(line) as Answer;
  } catch {
    return new Error(`the driver wrote what is no answer: ${line.slice(0, 200)}`);
  }
}

async function exitOf(child: ChildProcess): Promise<number | NodeJS.Signals> {
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return code ?? signal!;
}
