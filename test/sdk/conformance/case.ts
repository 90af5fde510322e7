import { deepEqual, equal, fail, ok } from 'node:assert/strict';
import { until } from '../../fixtures/until.ts';
import { type Fault, type FaultProxy, startFaultProxy } from '../fault-proxy.ts';
import { type Answer, type Counters, type Driver, type LanguageName, type Result, startDriver } from './driver.ts';
import type { Stored, StoredEvents } from './stored.ts';

/** A field of an event as the driver is told it. */
export type Value = unknown;
/** An event as the driver is told it. */
export interface Told {
  type: string;
  fields: Record<string, Value>;
}

/** A statement tried in a language. */
export type Check = (one: Case) => Promise<void>;
/** By numbers of gen/README.md. */
export type Checks = Readonly<Record<string, Check>>;

/** What a check works with; all that it starts ends with it. */
export interface Case extends AsyncDisposable {
  language: LanguageName;
  /** That of the mesh. */
  url: string;
  /** Users of the case begin so, and its campaign is called so. */
  name: string;
  /** Another process of the driver; `driver` is the first. */
  start(env?: Record<string, string>): Driver;
  driver: Driver;
  /** A client of the mesh, or of a proxy before it. */
  open(options?: Record<string, unknown>, url?: string): Promise<Answer>;
  proxy(fault?: Fault): Promise<FaultProxy>;
  click(fields?: Record<string, Value>): Told;
  conversion(fields?: Record<string, Value>): Told;
  clicks(count: number): Told[];
  /** What the mesh has of the case, once it has this many. */
  stored(): Promise<Stored[]>;
  expectStored(count: number): Promise<Stored[]>;
  counters(): Promise<Counters>;
}

let cases = 0;

export function startCase(language: LanguageName, statement: string, url: string, events: StoredEvents): Case {
  const name = `${statement}-${language}-${process.pid}-${++cases}`.toLowerCase();
  const drivers: Driver[] = [];
  const proxies: FaultProxy[] = [];
  let users = 0;
  const one: Case = {
    language,
    url,
    name,
    start(env) {
      const driver = startDriver(language, env);
      drivers.push(driver);
      return driver;
    },
    get driver() {
      return drivers[0] ?? one.start();
    },
    async open(options = {}, to = url) {
      const answer = await one.driver.do('open', { url: to, options });
      equal(answer.error, undefined, `open: ${answer.error?.message}`);
      return answer;
    },
    async proxy(fault) {
      const proxy = await startFaultProxy(url, fault);
      proxies.push(proxy);
      return proxy;
    },
    click: (fields = {}) => ({
      type: 'click',
      fields: { user_id: `${name}-${++users}`, ad_id: 'ad', campaign_id: name, source: 'test', ...fields },
    }),
    conversion: (fields = {}) => ({
      type: 'conversion',
      fields: { user_id: `${name}-${++users}`, type: 'purchase', source: 'test', ...fields },
    }),
    clicks: (count) => Array.from({ length: count }, () => one.click()),
    stored: () => events.of(name),
    async expectStored(count) {
      const stored = await events.of(name);
      equal(stored.length, count, `stored are ${stored.length}, not ${count}`);
      return stored;
    },
    async counters() {
      const { counters } = await one.driver.do('counters');
      return counters ?? fail('no counters');
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(drivers.map((driver) => driver.stop()));
      for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
    },
  };
  return one;
}

export function accepted(result: Result | undefined): Result['accepted'] & object {
  return result?.accepted ?? fail(`not accepted, but ${JSON.stringify(result)}`);
}

export function rejected(result: Result | undefined, field: string): Result['rejected'] & object {
  const { rejected: refusal } = result ?? {};
  if (refusal === undefined) fail(`not rejected for ${field}, but ${JSON.stringify(result)}`);
  equal(refusal.field, field, `rejected for ${refusal.field}, not ${field}: ${refusal.message}`);
  return refusal;
}

export function failed(
  result: Result | undefined,
  kind: NonNullable<Result['error']>['kind'],
): NonNullable<Result['error']> {
  const { error } = result ?? {};
  if (error === undefined) fail(`no error "${kind}", but ${JSON.stringify(result)}`);
  equal(error.kind, kind, error.message);
  return error;
}

/** Every event is counted once. */
export function expectBalance(counters: Counters): void {
  const { queued, sent, rejected: refused, lost, stored, waiting } = counters;
  equal(queued, sent + refused + lost + stored + waiting, JSON.stringify(counters));
}

export function expectCounters(counters: Counters, expected: Partial<Counters>): void {
  expectBalance(counters);
  deepEqual({ ...counters, ...expected }, counters, `counters are ${JSON.stringify(counters)}`);
}

export function expectBelow(ms: number | undefined, limitMs: number, what: string): void {
  ok(ms !== undefined && ms <= limitMs, `${what} took ${ms} ms, of ${limitMs}`);
}

/** Waits until several answers were cut off. */
export async function cutSome(proxy: FaultProxy): Promise<void> {
  await until(() => proxy.cuts() >= 3, 'no three answers came by');
}
