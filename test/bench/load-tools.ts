import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { percentile } from './load.ts';

const run = promisify(execFile);
const POST = fileURLToPath(new URL('post.lua', import.meta.url));
const LATENCIES = 'h2load.log';

/** What a load tool saw. */
export interface ToolLoad {
  requests: number;
  seconds: number;
  /** In ms, as p99. */
  p50: number;
  p99: number;
}

export type Tool = 'wrk' | 'h2load';

/** POSTs post.lua's events to /api/v1/events with one request under way on each connection. Throws if one failed. */
export async function wrk(url: string, connections: number, seconds: number): Promise<ToolLoad> {
  const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '-s', POST];
  const { stdout } = await run('wrk', [...options, url]);
  const [line] = /^\{"requests".*\}$/m.exec(stdout)!;
  const { failed, ...load } = JSON.parse(line!) as ToolLoad & { failed: number };
  if (failed > 0) throw new Error(`${failed} of ${load.requests} requests failed`);
  return load;
}

/**
 * Repeats one gRPC call, whose messages are `body` with their prefixes, one under way on each connection. The files are
 * written in `dir`. Throws if one failed, as far as HTTP/2 tells: a gRPC status is in trailers, which h2load ignores.
 */
export async function h2load(
  url: string,
  { body, dir, connections, seconds }: { body: Buffer; dir: string; connections: number; seconds: number },
): Promise<ToolLoad> {
  await writeFile(join(dir, 'body'), body);
  // It appends.
  await rm(join(dir, LATENCIES), { force: true });
  const headers = ['-H', 'content-type: application/grpc', '-H', 'te: trailers'];
  const options = ['-t1', `-c${connections}`, '-m1', `-D${seconds}`, `--log-file=${LATENCIES}`];
  const { stdout } = await run('h2load', [...options, ...headers, '-d', 'body', url], { cwd: dir });
  const [, succeeded, failed] = /(\d+) succeeded, (\d+) failed/.exec(stdout)!;
  if (Number(failed) > 0 || Number(succeeded) === 0)
    throw new Error(`${failed} requests failed, ${succeeded} succeeded`);
  const lines = (await readFile(join(dir, LATENCIES), 'latin1')).trimEnd().split('\n');
  const latencies = lines.map((line) => Number(line.split('\t')[2]) / 1000).sort((a, b) => a - b);
  return {
    ...{ requests: Number(succeeded), seconds: secondsTaken(stdout) },
    ...{ p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) },
  };
}

const UNITS: Readonly<Record<string, number>> = { s: 1, ms: 1e-3, us: 1e-6 };

/** How long h2load says that it took: a run of one second now and then takes "999.98ms". */
export function secondsTaken(output: string): number {
  const [, value, unit] = /finished in ([\d.]+)(s|ms|us),/.exec(output)!;
  return Number(value) * UNITS[unit!]!;
}

/** Messages as gRPC sends them. */
export function grpcBody(messages: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    messages.flatMap((message) => {
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(message.length, 1);
      return [prefix, message];
    }),
  );
}
