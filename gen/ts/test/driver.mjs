/** The program by which the conformance suite tries the client (gen/README.md, "The driver of a language"). */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import * as clickmesh from '../dist/client.js';
import { EVENT_RULES } from '../dist/event-rules.js';

const { ClientClosed, connectClickmesh, memoryClient, NotSent, QueueFull, Rejected, SendFailed } = clickmesh;
const HELPERS = ['click', 'conversion', 'adjustment', 'verdict', 'refund', 'restate', 'retract', 'invalidate'];
const rules = Object.values(EVENT_RULES).flat();
const LOCAL = new Map(rules.map(({ name, localName }) => [name, localName]));
const CONTRACT = new Map(rules.map(({ name, localName }) => [localName, name]));

/** By name: the client, and what its onError and logger were told. */
const clients = new Map();

const COMMANDS = {
  open({ client = '', url, options: { memory, silent, failingHeaders, ...options } = {} }) {
    const told = { errors: [], warnings: [] };
    if (failingHeaders) options.headers = failingAtFirst(options.headers);
    const onError = (error, events) => told.errors.push({ error: errorOf(error), events: events.map(identity) });
    const all = { ...options, onError, ...(silent && { logger: (line) => told.warnings.push(line) }) };
    try {
      clients.set(client, { client: memory ? memoryClient(all) : connectClickmesh(url, all), told });
    } catch (error) {
      return { error: { ...errorOf(error), kind: 'option' } };
    }
    return {};
  },
  track: async ({ client, event }) => ({ result: await resultOf(() => of(client).track(made(event))) }),
  async trackMany({ client, count, event, ratePerSecond = 0, ready = false }) {
    const begin = performance.now();
    const id = event.fields.event_id;
    const counts = { accepted: 0, rejected: 0, failed: 0 };
    const errors = [];
    const told = Promise.withResolvers();
    let left = count;
    // Counted as they come: a million answers that are kept take more memory than the client.
    const note = (result) => {
      counts[result.accepted ? 'accepted' : result.rejected ? 'rejected' : 'failed']++;
      if (!result.accepted && errors.length < 3) errors.push(result);
      if (--left === 0) told.resolve();
    };
    for (let i = 0; i < count; i++) {
      if (ratePerSecond > 0) await sleep(Math.max(0, begin + (i * 1000) / ratePerSecond - performance.now()));
      if (ready) await of(client).ready();
      const fields = id === undefined ? event.fields : { ...event.fields, event_id: `${id}-${i}` };
      resultOf(() => of(client).track(made({ ...event, fields }))).then(note);
    }
    if (count > 0) await told.promise;
    return { ...counts, tookMs: performance.now() - begin, errors };
  },
  trackAll({ client, events }) {
    for (const event of events) of(client).track(made(event));
    return {};
  },
  async mutate({ client, event, changes }) {
    const given = made(event);
    const answer = resultOf(() => of(client).track(given));
    const object = contractNames(given);
    Object.assign(given, localNames(changes));
    return { object, result: await answer };
  },
  send: async ({ client, event }) => ({ result: await resultOf(() => of(client).send(made(event))) }),
  sendBatch: ({ client, events, event }) => batch(() => of(client).sendBatch(events?.map(made) ?? made(event))),
  sendStream: ({ client, events, event }) => stream(() => of(client).sendStream(events?.map(made) ?? made(event))),
  complete({ client, event }) {
    const { event: type, ...fields } = of(client).complete(made(event));
    return { event: { type, fields: contractNames(fields) } };
  },
  async sendAgain({ client, call, event, events }) {
    const made1 = event === undefined ? events.map(made) : made(event);
    const first = await attempt(() => of(client)[call](made1));
    const again = first.error?.events ?? made1;
    const given = call === 'send' ? (Array.isArray(again) ? again[0] : again) : again;
    const repeat = () => (first.error === undefined ? first.value : of(client)[call](given));
    if (call === 'send') return { result: await resultOf(repeat) };
    return call === 'sendBatch' ? batch(repeat) : stream(repeat);
  },
  async cancel({ client, call, event, afterMs }) {
    const begin = performance.now();
    const signal = AbortSignal.timeout(afterMs);
    const result = await resultOf(() => of(client)[call](made(event), { signal }));
    return { result, tookMs: performance.now() - begin };
  },
  ready: ({ client }) => orError(() => of(client).ready()),
  async flush({ client, limitMs }) {
    const begin = performance.now();
    const done = await of(client).flush({ limitMs });
    return { done, tookMs: performance.now() - begin };
  },
  async close({ client, limitMs, times = 1, interrupted = false }) {
    if (interrupted) return { unsupported: 'JavaScript has no threads that are interrupted' };
    const begin = performance.now();
    const closed = Array.from({ length: times }, async () => {
      const { error } = await orError(() => of(client).close({ limitMs }));
      return { tookMs: performance.now() - begin, ...(error && { error }) };
    });
    const [first, second] = await Promise.all(closed);
    return { ...first, ...(second && { second }) };
  },
  async inCallback({ client, event, call }) {
    const begin = performance.now();
    await new Promise((resolve, reject) => {
      const answered = of(client).track(made(event));
      answered
        .then(async () => {
          if (call === 'throw') {
            resolve();
            throw new Error('of the callback');
          }
          await of(client)[call](call === 'track' ? made(event) : undefined);
          resolve();
        })
        .catch(call === 'throw' ? () => {} : reject);
    });
    return { tookMs: performance.now() - begin };
  },
  counters: ({ client }) => ({ counters: of(client).counters() }),
  reports: ({ client = '' }) => clients.get(client).told,
  events: ({ client }) => ({ events: of(client).events.map(identity) }),
  async stats({ client, query: { startDate, endDate, dates } }) {
    const day = (text) => (dates === 'native' ? new Date(text) : text);
    const rows = await of(client).stats({ startDate: day(startDate), endDate: day(endDate) });
    return { rows: JSON.parse(JSON.stringify(rows)) };
  },
  async openMany({ url, count, event }) {
    const handles = () => process.getActiveResourcesInfo().length;
    const threadsBefore = handles();
    for (let i = 0; i < count; i++) {
      const client = connectClickmesh(url);
      client.track(made(event));
      await client.close();
    }
    await sleep(100);
    return { threadsBefore, threadsAfter: handles() };
  },
  fork: () => ({ unsupported: 'Node has no fork of a running program' }),
  handleSigterm({ client, own = false }) {
    if (own) {
      process.on('SIGTERM', async () => {
        process.stderr.write('own handler\n');
        await of(client).close();
        process.exit(0);
      });
    }
    of(client).closeOnSigterm();
    return {};
  },
  exit({ how }) {
    input.removeAllListeners('close');
    input.close();
    process.stdin.destroy();
    if (how === 'exit') process.exitCode = 0;
    if (how === 'now') process.exit(0);
    if (how === 'exception')
      setImmediate(() => {
        throw new Error('as asked');
      });
  },
};

function failingAtFirst(headers) {
  let asked = 0;
  return async () => (asked++ === 0 ? Promise.reject(new Error('no headers yet')) : headers);
}

function of(name = '') {
  return clients.get(name).client;
}

/** The event as the helper of its name makes it; anything else as it is. */
function made(told) {
  if (typeof told?.type !== 'string' || typeof told.fields !== 'object') return value(told);
  if (!HELPERS.includes(told.type)) throw new Error(`no helper ${told.type}`);
  return clickmesh[told.type](localNames(told.fields));
}

function localNames(fields) {
  return Object.fromEntries(Object.entries(fields).map(([name, one]) => [LOCAL.get(name) ?? name, value(one)]));
}

function contractNames(fields) {
  return Object.fromEntries(Object.entries(fields).map(([name, one]) => [CONTRACT.get(name) ?? name, one]));
}

function value(told) {
  if (typeof told !== 'object' || told === null || Array.isArray(told)) return told;
  switch (told.$) {
    case undefined:
      return Object.fromEntries(Object.entries(told).map(([name, one]) => [name, value(one)]));
    case 'date':
    case 'naive':
      return new Date(told.value);
    case 'uuid':
      return told.value;
    case 'nan':
      return Number.NaN;
    case 'infinity':
      return Number.POSITIVE_INFINITY;
    case 'half':
      return `${told.value}\ud83d`;
    case 'absent':
      return undefined;
    case 'integer':
      return BigInt(told.value);
    case 'repeat':
      return told.value.repeat(told.count);
    default:
      throw new Error(`no value ${told.$}`);
  }
}

const identity = ({ eventId, timestamp }) => ({ event_id: eventId, timestamp });

async function attempt(call) {
  try {
    return { value: await call() };
  } catch (error) {
    return { error };
  }
}

async function resultOf(call) {
  const { value, error } = await attempt(call);
  if (error === undefined) return resultOfAnswer(value);
  return error instanceof Rejected ? resultOfAnswer(error) : { error: errorOf(error) };
}

function resultOfAnswer(answer) {
  if (!(answer instanceof Rejected)) {
    return { accepted: { ...identity(answer), stored_id: answer.storedId, ignored: answer.ignored } };
  }
  const { field, reason, limit, message } = answer;
  return { rejected: { ...identity(answer), field, reason, limit, message } };
}

async function batch(call) {
  const { value, error } = await attempt(call);
  return error === undefined ? { results: value.map(resultOfAnswer) } : { error: errorOf(error) };
}

async function stream(call) {
  const { value, error } = await attempt(call);
  if (error !== undefined) return { error: errorOf(error) };
  const rejections = value.rejections.map(({ index, rejected }) => ({ index, ...resultOfAnswer(rejected) }));
  return { ...value, rejections };
}

async function orError(call) {
  const { error } = await attempt(call);
  return error === undefined ? {} : { error: errorOf(error) };
}

function errorOf(error) {
  const { message, events, event, count } = error;
  const of = events ?? (event && [event]);
  return { kind: kindOf(error), message, ...(of && { events: of.map(identity) }), ...(count && { notSent: count }) };
}

function kindOf(error) {
  if (error instanceof SendFailed) return error.code === 'canceled' ? 'cancelled' : 'failed';
  if (error instanceof QueueFull) return 'full';
  if (error instanceof ClientClosed) return 'closed';
  return error instanceof NotSent ? 'notSent' : 'other';
}

const input = createInterface(process.stdin);
input.on('line', async (line) => {
  const { id, do: what, ...fields } = JSON.parse(line);
  let answer;
  try {
    answer = await COMMANDS[what](fields);
  } catch (error) {
    answer = { fault: `${what}: ${error.stack}` };
  }
  if (answer !== undefined) process.stdout.write(`${JSON.stringify({ id, ...answer })}\n`);
});
input.on('close', () => process.exit(0));
