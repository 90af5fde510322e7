import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const POM = fileURLToPath(new URL('../../../deploy/kafka/pom.xml', import.meta.url));
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/clickmesh-kafka', import.meta.url));
const OLDEST_JAVA = 17;

/**
 * The folder with the jars of the Kafka that deploy/kafka/pom.xml names, fetched by Maven when it is first needed.
 * Rejects with one line if Java or Maven are missing, or Maven fails.
 */
export async function kafkaJars(): Promise<string> {
  await checkJava();
  const dir = join(CACHE, hash('sha256', await readFile(POM)).slice(0, 16));
  if (!existsSync(dir)) await fetchJars(dir);
  return dir;
}

async function checkJava(): Promise<void> {
  const { stderr } = await run('java', ['-version']).catch(() => {
    throw new Error(`Kafka needs Java ${OLDEST_JAVA} or later, and there is no java on the PATH`);
  });
  const [, major] = /version "(\d+)/.exec(stderr) ?? [];
  if (Number(major) < OLDEST_JAVA) throw new Error(`Kafka needs Java ${OLDEST_JAVA} or later; this is ${major}`);
}

/** Fetches the jars whole or not at all, also when two processes do it at the same time. */
async function fetchJars(dir: string): Promise<void> {
  await mkdir(dirname(dir), { recursive: true });
  const part = await mkdtemp(`${dir}-`);
  try {
    await run('mvn', [
      ...['--quiet', '--batch-mode', '--file', POM],
      ...['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${part}`],
    ]);
    await rename(part, dir).catch((error) => {
      if (!existsSync(dir)) throw error;
    });
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const why = missing ? 'there is no mvn on the PATH' : `Maven failed: ${(cause as Error).message.split('\n')[1]}`;
    throw new Error(`Kafka's jars can't be fetched: ${why}`, { cause });
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}
