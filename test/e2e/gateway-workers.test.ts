import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openKafkaLog } from '../../services/log/kafka/log.ts';
import { processTree } from '../bench/usage.ts';
import { hang } from '../fixtures/hang.ts';
import { startTestKafka, type TestKafka } from '../fixtures/kafka.ts';
import { clickmesh, isRunning } from '../fixtures/mesh-process.ts';
import { type ServiceProcess, startService } from '../fixtures/service-process.ts';
import { KAFKA } from '../needs.ts';

const WORKERS = 2;
const CLIENTS = 8;

let kafka: TestKafka;

beforeAll(async () => {
  kafka = await startTestKafka();
}, 60_000);
afterAll(() => kafka?.close());

async function start(env: Record<string, string> = {}): Promise<ServiceProcess> {
  const settings = { KAFKA_BROKERS: kafka.bootstrap, GATEWAY_WORKERS: String(WORKERS), LOG_LEVEL: 'silent', ...env };
  const gateway = await startService('gateway', settings);
  onTestFinished(() => gateway.stop());
  return gateway;
}

describe('a gateway of several workers says of its port what is so for all', { tags: KAFKA }, () => {
  test('every scrape has what all of them counted, each under its label', async () => {
    const { url } = await start();
    await Promise.all(Array.from({ length: 20 }, () => post(url)));
    const scrapes = await Promise.all(Array.from({ length: 4 }, () => get(`${url}/metrics`)));
    for (const { body } of scrapes) {
      const accepted = valuesOf(body, 'clickmesh_events_accepted_total');
      expect(accepted.map(({ worker }) => worker).sort()).toEqual(['1', '2']);
      expect(accepted.reduce((sum, { value }) => sum + value, 0)).toBe(20);
      expect(valuesOf(body, 'process_cpu_seconds_total')).toHaveLength(WORKERS);
      const series = body.split('\n').flatMap((line) => (/^(#|$)/.test(line) ? [] : [line.replace(/ \S+$/, '')]));
      expect(series).toHaveLength(new Set(series).size);
      expect(body.match(/^# TYPE clickmesh_events_accepted_total /gm)).toHaveLength(1);
      expect(body).not.toMatch(/service_instance_id|process_pid/);
    }
  });

  test('it is ready while all of them are', async () => {
    const { url, pid } = await start();
    const checks = async () => JSON.parse((await get(`${url}/readyz`)).body);
    expect(await checks()).toEqual({ ready: true, checks: { workers: { ok: true }, log: { ok: true } } });
    const [, second] = workersOf(pid);
    await hang(second!);
    // The first two connections may be given to the one that hangs.
    const hung = { ready: false, checks: { workers: { ok: false, reason: 'worker 2: does not answer' } } };
    await expect.poll(() => within(4000, checks), { timeout: 20_000 }).toMatchObject(hung);
    process.kill(second!, 'SIGCONT');
    await expect.poll(checks, { timeout: 10_000 }).toMatchObject({ ready: true });
  });

  test('one worker is the process itself', async () => {
    const { url, pid } = await start({ GATEWAY_WORKERS: '1' });
    expect(workersOf(pid)).toEqual([]);
    await post(url);
    const { body } = await get(`${url}/metrics`);
    expect(body).toMatch(/^clickmesh_events_accepted_total\{event_type="click"\} 1$/m);
  });
});

describe('a gateway of several workers starts and stops as one', { tags: KAFKA }, () => {
  test('kill -9 of each in turn under load: started again, and nothing acknowledged is lost', async () => {
    const gateway = await start();
    const load = startLoad(gateway.url);
    for (let i = 0; i < WORKERS; i++) {
      const victim = workersOf(gateway.pid)[i]!;
      await load.acknowledged(200);
      process.kill(victim, 'SIGKILL');
      await untilReplaced(gateway, victim);
    }
    await load.acknowledged(200);
    const { positions } = await load.stop();
    expect(new Set(positions).size).toBe(positions.length);
    const log = await openKafkaLog({ bootstrap: kafka.bootstrap, clientId: 'test' });
    const ends = (await log.offsets('raw-events')).map(({ end }) => end);
    await log.close();
    const lost = positions.filter((position) => {
      const [partition, offset] = position.split('/').map(Number);
      return offset! >= ends[partition!]!;
    });
    expect(lost).toEqual([]);
  }, 60_000);

  test('each restarted in turn under load, and no request fails', async () => {
    const gateway = await start();
    const load = startLoad(gateway.url);
    for (let i = 0; i < WORKERS; i++) {
      const victim = workersOf(gateway.pid)[i]!;
      await load.acknowledged(200);
      process.kill(victim, 'SIGTERM');
      await untilReplaced(gateway, victim);
    }
    await load.acknowledged(200);
    expect((await load.stop()).failures).toEqual([]);
  }, 60_000);

  test('SIGTERM answers every request on its way, and leaves no process', async () => {
    const { url, pid, stop } = await start();
    const tree = processTree(pid);
    expect(tree).toHaveLength(1 + WORKERS);
    const load = startLoad(url);
    await load.acknowledged(200);
    await stop();
    const { failures } = await load.stop();
    expect(failures.filter((failure) => failure !== 'ECONNREFUSED')).toEqual([]);
    expect(failures.length).toBeGreaterThan(0);
    expect(tree.filter(isRunning)).toEqual([]);
  }, 60_000);

  test('kill -9 of the parent leaves no worker', async () => {
    const { pid } = await start();
    const workers = workersOf(pid);
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => workers.filter(isRunning), { timeout: 10_000 }).toEqual([]);
  });

  test('a port in use is one line, whatever the number of workers', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const { port } = other.address() as { port: number };
    const flags = ['--kafka-brokers', kafka.bootstrap, '--port', String(port), '--workers', '4'];
    const { code, stderr } = await clickmesh(['gateway', ...flags]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `clickmesh: can't listen on 127.0.0.1:${port}: the port is in use\n`,
    });
  });
});

function workersOf(pid: number): number[] {
  return processTree(pid).slice(1);
}

/** Another worker runs in its place, and all serve. */
async function untilReplaced({ url, pid }: ServiceProcess, victim: number): Promise<void> {
  const replaced = async () => !isRunning(victim) && workersOf(pid).length === WORKERS && (await isReady(url));
  await expect.poll(replaced, { timeout: 20_000 }).toBe(true);
}

async function isReady(url: string): Promise<boolean> {
  return (await get(`${url}/readyz`)).status === 200;
}

interface Answered {
  status: number;
  body: string;
}

/** Over a connection of its own unless an agent is given. */
async function send(url: string, body: string | undefined, agent: Agent | false = false): Promise<Answered> {
  const headers = { 'content-type': 'application/json' };
  const sent = request(url, { method: body === undefined ? 'GET' : 'POST', headers, agent });
  sent.end(body);
  const [answer] = (await once(sent, 'response').catch((error) => {
    // The port closed before anybody took the connection: the kernel resets it, which is as good as refused.
    if (error.code === 'ECONNRESET' && !sent.reusedSocket) error.code = 'ECONNREFUSED';
    throw error;
  })) as [IncomingMessage];
  return { status: answer.statusCode!, body: await text(answer) };
}

const get = (url: string) => send(url, undefined);

async function post(url: string, agent?: Agent): Promise<string> {
  const click = {
    ...{ event_type: 'click', event_id: randomUUID(), user_id: `user-${Math.random()}`, ad_id: 'ad' },
    ...{ campaign_id: 'c', source: 's', timestamp: Date.UTC(2026, 0, 15) },
  };
  const { status, body } = await send(`${url}/api/v1/events`, JSON.stringify(click), agent);
  if (status !== 202) throw new Error(`${status} ${body}`);
  const [result] = (JSON.parse(body) as { results: { partition: number; offset: number }[] }).results;
  return `${result!.partition}/${result!.offset}`;
}

/** Clients with a connection each that send one event after another. */
function startLoad(url: string) {
  const positions: string[] = [];
  const failures: string[] = [];
  const stopping = new AbortController();
  async function client() {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!stopping.signal.aborted) {
      try {
        positions.push(await post(url, agent));
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        failures.push(code ?? message);
        await sleep(20);
      }
    }
    agent.destroy();
  }
  const running = Promise.all(Array.from({ length: CLIENTS }, client));
  return {
    /** So many more than now. */
    async acknowledged(count: number): Promise<void> {
      const goal = positions.length + count;
      await expect.poll(() => positions.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(goal);
    },
    async stop() {
      stopping.abort();
      await running;
      return { positions, failures };
    },
  };
}

function valuesOf(metrics: string, name: string): { worker: string | undefined; value: number }[] {
  return [...metrics.matchAll(new RegExp(`^${name}\\{(.*)\\} (\\S+)$`, 'gm'))].map(([, labels, value]) => ({
    worker: /worker="(\d+)"/.exec(labels!)?.[1],
    value: Number(value),
  }));
}

async function within<T>(ms: number, ask: () => Promise<T>): Promise<T | undefined> {
  return Promise.race([ask().catch(() => undefined), sleep(ms, undefined)]);
}
