import { EventEmitter } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { MessageChannel } from 'node:worker_threads';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type Port, portRequests } from './port-requests.ts';

interface Sums {
  one: number;
  nothing: undefined;
}

const never = () => new Promise<never>(() => {});

/** Two ends of a channel between threads. */
function threads(): [Port, Port] {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port1.close());
  return [port1, port2];
}

/** Two ends of a channel between processes, which speak JSON; nothing arrives once it is disconnected. */
function processes(disconnected = () => false): [Port & EventEmitter, Port & EventEmitter] {
  const [a, b] = [new EventEmitter(), new EventEmitter()];
  const sendTo = (other: EventEmitter): Port['send'] => {
    return (message, _handle, _options, sent) => {
      const isGone = disconnected();
      if (!isGone) queueMicrotask(() => other.emit('message', JSON.parse(JSON.stringify(message))));
      queueMicrotask(() => sent(isGone ? new Error('channel closed') : null));
      return !isGone;
    };
  };
  return [Object.assign(a, { send: sendTo(b) }), Object.assign(b, { send: sendTo(a) })];
}

test.each([
  ['threads', threads],
  ['processes', processes],
])('%s answer each other, each under its own numbers', async (_, ends) => {
  const [a, b] = ends();
  let asked = 0;
  const askB = portRequests<Sums>(a, { one: async () => 10 });
  const askA = portRequests<Sums>(b, { one: async () => ++asked, nothing: async () => undefined });
  expect(await Promise.all([askB('one'), askA('one'), askB('one'), askB('nothing')])).toEqual([1, 10, 2, undefined]);
});

test.each([
  ['fails to answer', { one: () => Promise.reject(new Error('no')) }],
  ['does not know the question', {}],
])('of one that %s there is no answer', async (_, own) => {
  const [a, b] = threads();
  portRequests(b, own);
  expect(await portRequests<Sums>(a)('one')).toBeUndefined();
});

test('one that takes too long is not waited for, and its late answer goes to nobody', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const [a, b] = processes();
  const late = Promise.withResolvers<number>();
  portRequests(b, { one: vi.fn(async () => 2).mockReturnValueOnce(late.promise) });
  const ask = portRequests<Sums>(a);
  const first = ask('one', 1000);
  await vi.advanceTimersByTimeAsync(1000);
  expect(await first).toBeUndefined();
  const second = ask('one', 1000);
  late.resolve(1);
  expect(await second).toBe(2);
  expect(vi.getTimerCount()).toBe(0);
});

test('one that ends is not waited for, nor asked again', async () => {
  const [a, b] = processes();
  portRequests(b, { one: never });
  const ask = portRequests<Sums>(a);
  const waiting = ask('one');
  a.emit('exit');
  expect(await waiting).toBeUndefined();
  expect(await ask('one')).toBeUndefined();
});

test('one that is not reached is not waited for', async () => {
  const [a] = processes(() => true);
  expect(await portRequests<Sums>(a)('one')).toBeUndefined();
});

test('an answer that is not taken leaves the own question under the same number alone', async () => {
  let isGone = false;
  const [a, b] = processes(() => isGone);
  const answer = Promise.withResolvers<number>();
  const ask = portRequests<Sums>(a, { one: async () => 1 });
  portRequests<Sums>(b, { one: () => answer.promise });
  const waiting = ask('one');
  isGone = true;
  a.emit('message', { id: 1, question: 'one' });
  await turn();
  isGone = false;
  answer.resolve(5);
  expect(await waiting).toBe(5);
});

test('other messages are left alone', async () => {
  const [a, b] = processes();
  const own = { one: vi.fn(async () => 1) };
  portRequests(b, own);
  for (const message of [null, 'started', 7, { ready: {} }, { id: 1 }, { question: 'one' }]) b.emit('message', message);
  expect(await portRequests<Sums>(a)('one')).toBe(1);
  expect(own.one).toHaveBeenCalledOnce();
});
