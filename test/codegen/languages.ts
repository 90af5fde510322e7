import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync } from 'node:fs';

/** A language that gen/ has an SDK in. */
export interface Language {
  name: string;
  /** Commands without which nothing can be generated or tried. */
  tools: string[];
  /** What `buf generate` is told. */
  template: string;
  /** Folders, everything in which is generated, and files. */
  generated: string[];
  /** Fetches what generating and testing need beside them, in the versions that the SDK's folder pins. */
  installTools?(): void;
}

/** Python with what gen/python/requirements-dev.txt names. */
export const VENV = 'node_modules/.cache/clickmesh-python';

export const LANGUAGES = {
  typescript: {
    name: 'TypeScript',
    tools: ['node'],
    template: 'buf.gen.yaml',
    generated: [
      'gen/ts/clickmesh',
      'gen/ts/grpc',
      'gen/openapi',
      'gen/wire',
      // Made of options that the other languages' messages are generated without.
      'gen/ts/src/event-rules.ts',
      'gen/python/clickmesh/rules.py',
      'gen/go/rules.go',
      'gen/java/src/main/java/io/clickmesh/EventRules.java',
    ],
  },
  python: {
    name: 'Python',
    tools: ['python3'],
    template: 'gen/python/buf.gen.yaml',
    generated: ['gen/python/clickmesh/v1'],
    installTools() {
      if (!existsSync(VENV)) run('python3', '-m', 'venv', VENV);
      run(`${VENV}/bin/python`, '-m', 'pip', 'install', '--quiet', '--requirement', 'gen/python/requirements-dev.txt');
    },
  },
  go: {
    name: 'Go',
    tools: ['go'],
    template: 'gen/go/buf.gen.yaml',
    generated: ['gen/go/clickmesh'],
  },
  java: {
    name: 'Java',
    tools: ['java', 'mvn'],
    template: 'gen/java/buf.gen.yaml',
    generated: ['gen/java/src/main/java/io/clickmesh/v1'],
    installTools() {
      run(
        'mvn',
        ...[
          '-q',
          '-B',
          '-Dstyle.color=never',
          '-f',
          'gen/java/pom.xml',
          'dependency:copy',
          `-Dprotoc.platform=${mavenPlatform()}`,
        ],
      );
      for (const program of ['protoc', 'protoc-gen-grpc-java']) chmodSync(`gen/java/target/protoc/${program}`, 0o755);
    },
  },
} satisfies Record<string, Language>;

/** Whether the language's tools are installed; says on stderr what is left out if not. */
export function isInstalled({ name, tools }: Language): boolean {
  const missing = tools.filter((tool) => spawnSync(tool, ['--help']).error !== undefined);
  if (missing.length === 0) return true;
  process.stderr.write(`SKIPPED: the ${name} SDK, because ${missing.join(' and ')} is not installed\n`);
  return false;
}

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
}

function mavenPlatform(): string {
  const systems: Partial<Record<NodeJS.Platform, string>> = { linux: 'linux', darwin: 'osx', win32: 'windows' };
  const processors: Partial<Record<NodeJS.Architecture, string>> = { x64: 'x86_64', arm64: 'aarch_64' };
  return `${systems[process.platform]}-${processors[process.arch]}`;
}
