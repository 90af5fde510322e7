import { equal, ok } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Code } from '@connectrpc/connect';
import type { Fault } from '../fault-proxy.ts';
import { accepted, type Case, type Checks, cutSome, expectBelow, expectCounters, failed } from './case.ts';
import type { Answer } from './driver.ts';
import { type Scripted, startScriptedGateway } from './scripted-gateway.ts';

const RETRIED: Scripted[] = [
  { code: Code.Unavailable },
  { code: Code.DeadlineExceeded },
  { code: Code.Aborted },
  { code: Code.ResourceExhausted, retryAfter: '1' },
  ...[429, 502, 503, 504].map((status) => ({ status })),
];
/** What libraries of gRPC don't tell from others. */
const RETRIED_BY_CONNECT = [408, 425].map((status) => ['connect', { status }] as const);
const FINAL: Scripted[] = [
  ...[Code.InvalidArgument, Code.Unauthenticated, Code.PermissionDenied, Code.NotFound, Code.Unimplemented],
  ...[Code.FailedPrecondition, Code.Internal, Code.ResourceExhausted],
].map((code) => ({ code }));

/** "Attempts" of gen/README.md. */
export const ATTEMPTS: Checks = {
  async 'C-030'(one) {
    await using gateway = await startScriptedGateway();
    await one.open({ silent: true }, gateway.url);
    await one.driver.do('open', {
      client: 'connect',
      url: gateway.url,
      options: { protocol: 'connect', silent: true },
    });
    const attempts = async (scripted: Scripted, attemptsFailed: number, client = ''): Promise<[number, Answer]> => {
      const before = gateway.calls.length;
      gateway.script = (call) => (call - before < attemptsFailed ? scripted : 'stored');
      const answer = await one.driver.do('send', { client, event: one.click() });
      return [gateway.calls.length - before, answer];
    };
    for (const [client, scripted] of [...RETRIED.map((each) => ['', each] as const), ...RETRIED_BY_CONNECT]) {
      const [count, { result }] = await attempts(scripted, 1, client);
      ok(result?.accepted && count === 2, `${told(scripted)}: ${count} attempts, ${JSON.stringify(result)}`);
    }
    for (const scripted of FINAL) {
      const [count, { result }] = await attempts(scripted, 9);
      ok(
        result?.error?.kind === 'failed' && count === 1,
        `${told(scripted)}: ${count} attempts, ${JSON.stringify(result)}`,
      );
    }
  },
  'C-031': (one) => survive(one, ['refuse', 'fin', 'rst', 'black hole']),
  'C-032': (one) => survive(one, ['503', '503 over HTTP/2']),
  async 'C-033'(one) {
    for (const call of ['send', 'track', 'sendBatch', 'sendStream']) {
      const proxy = await one.proxy('cut');
      await one.driver.do('open', { client: call, url: proxy.url, options: { attemptTimeoutMs: 3000 } });
      const isOne = call === 'send' || call === 'track';
      const answer = one.driver.do(call, {
        client: call,
        ...(isOne ? { event: one.click() } : { events: one.clicks(20) }),
      });
      await cutSome(proxy);
      await proxy.set('none');
      const { error, result } = await answer;
      ok(error === undefined && result?.error === undefined, `${call}: ${JSON.stringify(error ?? result)}`);
    }
    await one.expectStored(42);
  },
  'C-034': (one) => outage(one, 20_000, {}),
  async 'C-035'(one) {
    const proxy = await one.proxy();
    await one.open({ timeoutMs: 5000, silent: true }, proxy.url);
    const load = one.driver.do('trackMany', { event: one.click(), count: 1000, ratePerSecond: 50 });
    await sleep(3000);
    await proxy.set('refuse');
    await sleep(10_000);
    await proxy.set('none');
    const { accepted: taken, failed: lost } = await load;
    ok(lost! > 0, 'nothing was given up in an outage of twice the timeout');
    const { errors } = await one.driver.do('reports');
    equal(
      errors!.reduce((sum, { events }) => sum + events.length, 0),
      lost,
      'events that onError was told of',
    );
    expectCounters(await one.counters(), { queued: 1000, sent: taken!, lost: lost!, waiting: 0 });
    // What was under way as the outage began may have been stored, and its answer lost.
    const stored = (await one.stored()).length;
    ok(stored >= taken! && stored <= taken! + lost!, `${stored} are stored, of ${taken} and ${lost} given up`);
  },
  async 'C-036'(one) {
    await using gateway = await startScriptedGateway();
    await one.open({ timeoutMs: 8000, silent: true }, gateway.url);
    gateway.script = () => ({ code: Code.Unavailable });
    failed((await one.driver.do('send', { event: one.click() })).result, 'failed');
    const gaps = gateway.calls.slice(1).map(({ at }, i) => at - gateway.calls[i]!.at);
    // Without jitter, 6.3 s pass before the seventh.
    ok(gaps.length >= 3, `${gaps.length + 1} attempts in 8 s`);
    ok(gaps.length < 50, `it does not wait between ${gaps.length + 1} attempts`);
    await one.driver.do('open', { client: 'connect', url: gateway.url, options: { protocol: 'connect' } });
    for (const client of ['', 'connect']) {
      for (const asked of [{ retryAfter: '2' }, { retryInfo: 2 }]) {
        const before = gateway.calls.length;
        gateway.script = (call) => (call === before ? { code: Code.ResourceExhausted, ...asked } : 'stored');
        accepted((await one.driver.do('send', { client, event: one.click() })).result);
        const [first, second] = gateway.calls.slice(before);
        const waited = second!.at - first!.at;
        ok(
          waited >= 1990,
          `asked to wait 2 s by ${Object.keys(asked)}, client ${client || 'grpc'} waited ${waited} ms`,
        );
      }
    }
  },
  async 'C-037'(one) {
    const hole = await one.proxy('black hole');
    for (const [timeoutMs, attemptTimeoutMs] of [
      [5000, 5000],
      [5000, 60_000],
      [6000, 2000],
    ] as const) {
      const client = `${timeoutMs} of ${attemptTimeoutMs}`;
      const options = { timeoutMs, attemptTimeoutMs, silent: true };
      await one.driver.do('open', { client, url: one.url, options });
      for (let i = 0; i < 20; i++) accepted((await one.driver.do('send', { client, event: one.click() })).result);
      await one.driver.do('open', { client: `${client}, cut off`, url: hole.url, options });
      const from = performance.now();
      const { result } = await one.driver.do('send', { client: `${client}, cut off`, event: one.click() });
      failed(result, 'failed');
      expectBelow(performance.now() - from, timeoutMs + SLACK_MS, client);
    }
  },
  async 'C-038'(one) {
    const proxy = await one.proxy('black hole');
    await one.open({ silent: true }, proxy.url);
    const { result, tookMs } = await one.driver.do('cancel', { call: 'send', event: one.click(), afterMs: 300 });
    failed(result, 'cancelled');
    expectBelow(tookMs, 300 + SLACK_MS, 'a cancelled call');
    const connections = proxy.connections();
    await proxy.set('none');
    await sleep(1500);
    await one.expectStored(0);
    ok(proxy.connections() <= connections + 1, 'it goes on trying');
  },
};

/** What a busy machine may add to a wait, in ms. */
const SLACK_MS = 10_000;

function told(scripted: Scripted): string {
  if (typeof scripted === 'string') return scripted;
  return 'code' in scripted ? Code[scripted.code] : `HTTP ${scripted.status}`;
}

/** Each fault lasts 3 s while events are tracked, and costs none of them. */
async function survive(one: Case, faults: readonly Fault[]): Promise<void> {
  for (const fault of faults) await outage(one, 3000, { attemptTimeoutMs: 1500 }, fault);
}

async function outage(one: Case, ms: number, options: object, fault: Fault = 'refuse'): Promise<void> {
  const proxy = await one.proxy();
  await one.driver.do('open', { client: fault, url: proxy.url, options });
  const before = (await one.stored()).length;
  const count = Math.round(50 * (ms / 1000 + 2));
  const load = one.driver.do('trackMany', { client: fault, event: one.click(), count, ratePerSecond: 50 });
  await sleep(1000);
  await proxy.set(fault);
  await sleep(ms);
  await proxy.set('none');
  const { accepted: taken, errors } = await load;
  equal(taken, count, `${fault}: ${taken} of ${count} were answered: ${JSON.stringify(errors)}`);
  const { counters } = await one.driver.do('counters', { client: fault });
  expectCounters(counters!, { queued: count, sent: count, lost: 0, waiting: 0 });
  await one.expectStored(before + count);
}
