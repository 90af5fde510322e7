import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { pause, restarting } from './restarting.ts';

const RESTARTS = { firstMs: 100, longestMs: 1000, steadyMs: 5000 };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Runs that last so many ms, or say that they are steady and end; the last one again and again. */
function runs(...lasting: (number | 'steady')[]) {
  const closing = new AbortController();
  const pauses: number[] = [];
  const state = { started: 0, done: false };
  async function run(steady: () => void): Promise<number> {
    const lasts = lasting[Math.min(state.started, lasting.length - 1)]!;
    state.started++;
    if (lasts === 'steady') steady();
    else await new Promise((resolve) => setTimeout(resolve, lasts));
    return state.started;
  }
  const restarted = restarting(run, RESTARTS, closing.signal, (end, pauseMs) => {
    expect(end).toBe(state.started);
    pauses.push(pauseMs);
  }).then(() => {
    state.done = true;
  });
  return { closing, pauses, state, restarted };
}

test('pauses grow up to the longest while runs are short', async () => {
  const { pauses, state } = runs(10);
  await vi.advanceTimersByTimeAsync(0);
  expect(state.started).toBe(1);
  await vi.advanceTimersByTimeAsync(10);
  expect(pauses).toEqual([100]);
  await vi.advanceTimersByTimeAsync(99);
  expect(state.started).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(state.started).toBe(2);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(pauses.slice(0, 6)).toEqual([100, 200, 400, 800, 1000, 1000]);
});

test('after a run that lasted long the pauses begin again', async () => {
  const { pauses } = runs(10, 10, 10, 5000, 4999, 4999);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(pauses.slice(0, 6)).toEqual([100, 200, 400, 100, 200, 400]);
});

test('after a run that said it was steady, too', async () => {
  const { pauses } = runs(10, 10, 'steady', 10, 10);
  await vi.advanceTimersByTimeAsync(2000);
  expect(pauses.slice(0, 5)).toEqual([100, 200, 100, 200, 400]);
});

test('an abort in a pause ends it, and nothing is left that waits', async () => {
  const { closing, pauses, state, restarted } = runs(10);
  await vi.advanceTimersByTimeAsync(10);
  expect(pauses).toEqual([100]);
  closing.abort();
  await restarted;
  expect([state.started, vi.getTimerCount()]).toEqual([1, 0]);
});

test('an abort in a run lets it end, and it is the last', async () => {
  const { closing, pauses, state, restarted } = runs(10);
  await vi.advanceTimersByTimeAsync(5);
  closing.abort();
  await vi.advanceTimersByTimeAsync(4);
  expect(state.done).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await restarted;
  expect([state.started, pauses]).toEqual([1, []]);
});

test('a run that rejects is the last', async () => {
  const run = () => Promise.reject(new Error('for good'));
  await expect(restarting(run, RESTARTS, new AbortController().signal, () => {})).rejects.toThrow('for good');
});

test('nothing is started for a signal that has aborted', async () => {
  const run = vi.fn(async () => {});
  await restarting(run, RESTARTS, AbortSignal.abort(), () => {});
  await pause(1e9, AbortSignal.abort());
  expect(run).not.toHaveBeenCalled();
});
