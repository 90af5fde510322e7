import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from '../../fixtures/mesh-process.ts';
import { accepted, type Case, type Checks, expectCounters, failed, rejected } from './case.ts';
import type { LanguageName } from './driver.ts';
import { namesOf } from './readme.ts';
import { startScriptedGateway } from './scripted-gateway.ts';

/** What stands before a client in code of each language. */
const SOURCES: Readonly<Record<LanguageName, string>> = {
  typescript: 'gen/ts/src/**/*.ts',
  python: 'gen/python/clickmesh/*.py',
  go: 'gen/go/*.go',
  java: 'gen/java/src/main/java/io/clickmesh/*.java',
};

/** Options out of their range, by TypeScript's names. */
const BAD_OPTIONS: Record<string, unknown>[] = [
  ...[0, 1001, -1].map((batchSize) => ({ batchSize })),
  { timeoutMs: -5 },
  { attemptTimeoutMs: -5 },
  { batchDelayMs: -1 },
  { batchDelayMs: 61_000 },
  { maxQueueEvents: -1 },
  { maxQueueBytes: 1000 },
  { onFull: 'drop' },
  { protocol: 'rest' },
];
/** In Go the zero value of an option means its default. */
const isDefault = ({ language }: Case, options: Record<string, unknown>) =>
  language === 'go' && Object.values(options)[0] === 0;

/** "Options and shapes" of gen/README.md. */
export const OPTIONS: Checks = {
  async 'C-070'({ language }) {
    const source = globSync(SOURCES[language])
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n');
    const missing = namesOf(language).filter((name) => !new RegExp(`\\b${name}\\b`).test(source));
    deepEqual(missing, []);
  },
  async 'C-071'(one) {
    const refused = async (url: string) => {
      const { error } = await one.driver.do('open', { client: url, url });
      ok(error !== undefined, `${url} was taken`);
      return error.message;
    };
    match(await refused('localhost:8080'), /"localhost:8080" has no scheme: http:\/\/localhost:8080/);
    match(await refused('127.0.0.1:8080'), /"127\.0\.0\.1:8080" has no scheme: http:\/\/127\.0\.0\.1:8080/);
    match(await refused('ftp://localhost'), /http/);
    match(await refused(''), /\S/);
  },
  async 'C-072'(one) {
    await using gateway = await startScriptedGateway('/mesh/one');
    for (const protocol of ['grpc', 'connect']) {
      for (const url of [gateway.url, `${gateway.url}/`]) {
        const client = `${protocol} ${url}`;
        await one.driver.do('open', { client, url, options: { protocol } });
        accepted((await one.driver.do('track', { client, event: one.click() })).result);
        accepted((await one.driver.do('send', { client, event: one.click() })).result);
      }
    }
    for (const { path } of gateway.calls) match(path, /^\/mesh\/one\/clickmesh\.v1\.IngestService\//);
  },
  async 'C-073'(one) {
    for (const options of BAD_OPTIONS) {
      if (isDefault(one, options)) continue;
      const [name, value] = Object.entries(options)[0]!;
      const { error } = await one.driver.do('open', { client: JSON.stringify(options), url: one.url, options });
      ok(error !== undefined, `${name} ${value} was taken`);
      equal(error.kind, 'option');
      const plain = (text: string) => text.toLowerCase().replaceAll('_', '');
      ok(plain(error.message).includes(plain(name.replace(/Ms$/, ''))), `${name} is not named: ${error.message}`);
    }
  },
  async 'C-074'(one) {
    await using gateway = await startScriptedGateway();
    for (const protocol of ['grpc', 'connect']) {
      const options = { key: 'secret', headers: { 'x-tenant': 'acme' }, protocol };
      await one.driver.do('open', { client: protocol, url: gateway.url, options });
      accepted((await one.driver.do('track', { client: protocol, event: one.click() })).result);
    }
    for (const { headers } of gateway.calls) {
      equal(headers.authorization, 'Bearer secret');
      equal(headers['x-tenant'], 'acme');
    }
    equal(gateway.calls.length, 2);
    for (const protocol of ['grpc', 'connect']) {
      const client = `${protocol}, which fails`;
      const options = { headers: { 'x-tenant': protocol }, failingHeaders: true, protocol };
      await one.driver.do('open', { client, url: gateway.url, options });
      accepted((await one.driver.do('send', { client, event: one.click() })).result);
      equal(gateway.calls.at(-1)!.headers['x-tenant'], protocol);
    }
  },
  async 'C-075'(one) {
    const proxy = await one.proxy('HTTP/1.1 only');
    await one.open({ protocol: 'connect' }, proxy.url);
    accepted((await one.driver.do('send', { event: one.click() })).result);
    accepted((await one.driver.do('track', { event: one.click() })).result);
    (await one.driver.do('sendBatch', { events: one.clicks(3) })).results?.map(accepted);
    rejected((await one.driver.do('send', { event: one.click({ user_id: '' }) })).result, 'user_id');
    equal((await one.driver.do('sendStream', { events: one.clicks(3) })).accepted, 3);
    await one.expectStored(8);
  },
  async 'C-076'(one) {
    const proxy = await one.proxy();
    await one.open({ disabled: true, silent: true }, proxy.url);
    accepted((await one.driver.do('track', { event: one.click() })).result);
    accepted((await one.driver.do('send', { event: one.click() })).result);
    rejected((await one.driver.do('track', { event: one.click({ user_id: '' }) })).result, 'user_id');
    expectCounters(await one.counters(), { queued: 3, sent: 2, rejected: 1 });
    equal((await one.driver.do('close')).error, undefined);
    equal(proxy.connections(), 0);
  },
  async 'C-077'(one) {
    await one.open({ memory: true, silent: true });
    accepted((await one.driver.do('track', { event: one.click({ event_id: 'a' }) })).result);
    accepted((await one.driver.do('send', { event: one.click({ event_id: 'b' }) })).result);
    await one.driver.do('sendBatch', { events: [one.click({ event_id: 'c' }), one.click({ user_id: '' })] });
    rejected((await one.driver.do('track', { event: one.click({ ad_id: 'null' }) })).result, 'ad_id');
    const { events } = await one.driver.do('events');
    deepEqual(
      events?.map(({ event_id }) => event_id),
      ['a', 'b', 'c'],
    );
    await one.expectStored(0);
  },
  async 'C-078'(one) {
    using folder = temporaryFolder();
    const options = { store: join(folder.path, 'events'), timeoutMs: 1000, batchSize: 10, silent: true };
    const proxy = await one.proxy('refuse');
    await one.open(options, proxy.url);
    const ids = Array.from({ length: 40 }, (_, i) => `${one.name}-${i}`);
    const { failed: given } = await one.driver.do('trackMany', { event: one.click(), count: 20 });
    equal(given, 20);
    await one.driver.do('trackAll', { events: ids.slice(20).map((event_id) => one.click({ event_id })) });
    await one.driver.do('close', { limitMs: 300 });
    expectCounters(await one.counters(), { queued: 40, stored: 40, lost: 0, waiting: 0 });
    await one.driver.stop();
    const later = one.start();
    await later.do('open', { url: one.url, options });
    const sent = async () => (await later.do('counters')).counters!.sent;
    for (let polls = 0; polls < 100 && (await sent()) < 40; polls++) await sleep(200);
    equal((await later.do('close')).error, undefined);
    expectCounters((await later.do('counters')).counters!, { sent: 40, lost: 0, stored: 0 });
    await one.expectStored(40);
  },
  async 'C-079'(one) {
    await one.open();
    const user_id = `${one.name}-user`;
    const types: Record<string, object> = {
      click: { ad_id: 'ad', campaign_id: one.name, source: 'test', event_id: `${one.name}-click` },
      conversion: { type: 'purchase', value: 10, source: 'test', event_id: `${one.name}-order` },
      refund: { conversion_id: `${one.name}-order`, value: 2 },
      restate: { conversion_id: `${one.name}-order`, value: 8 },
      retract: { conversion_id: `${one.name}-order` },
      adjustment: { conversion_id: `${one.name}-order`, kind: 'refund', value: 1 },
      invalidate: { click_id: `${one.name}-click` },
      verdict: { click_id: `${one.name}-click`, valid: true },
    };
    for (const [type, fields] of Object.entries(types)) {
      const event = { type, fields: { user_id, ...fields } };
      for (const call of ['track', 'send']) accepted((await one.driver.do(call, { event })).result);
    }
    // Two of them have an id of their own.
    await one.expectStored(2 + 6 * 2);
  },
  async 'C-080'(one) {
    await one.open();
    accepted((await one.driver.do('send', { event: one.click() })).result);
    await one.expectStored(1);
    const today = new Date().toISOString().slice(0, 10);
    for (const dates of ['native', 'text']) {
      const { rows } = await one.driver.do('stats', { query: { startDate: today, endDate: today, dates } });
      ok(rows!.length > 0, `no rows by ${dates}`);
    }
  },
  async 'C-081'(one) {
    const proxy = await one.proxy('refuse');
    await one.open({ timeoutMs: 800, silent: true }, proxy.url);
    const { message } = failed((await one.driver.do('send', { event: one.click() })).result, 'failed');
    ok(!message.includes('\n'), `more than one line:\n${message}`);
    match(message, /\d+ attempts?/);
    match(message, /\d\s?(ms|s)\b/);
  },
};
