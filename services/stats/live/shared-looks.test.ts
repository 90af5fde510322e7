import { setImmediate as immediately } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type Look, SharedLooks } from './shared-looks.ts';

/** Looks that answer what `put` says; undefined is nothing new. */
function scripted(): Look<string> & { looks: number; put(value: string): void; fail(error: Error): void } {
  const values: string[] = [];
  let failure: Error | undefined;
  const look = {
    looks: 0,
    put: (value: string) => void values.push(value),
    fail(error: Error) {
      failure = error;
    },
    next: async () => {
      look.looks++;
      if (failure !== undefined) throw failure;
      return values.shift();
    },
    merge: (waiting: string, next: string) => `${waiting}+${next}`,
    remember: (_last: string | undefined, next: string) => next,
    periodMs: 1,
  };
  return look;
}

const never = () => new AbortController();

test('those who watch the same share its looks, and who comes later gets at once what came last', async () => {
  const looks = new SharedLooks<string>();
  const look = scripted();
  let begun = 0;
  const watch = () =>
    looks.watch(
      'a',
      () => {
        begun++;
        return look;
      },
      never().signal,
    );
  look.put('1');
  const first = watch();
  expect((await first.next()).value).toBe('1');
  const others = Array.from({ length: 200 }, watch);
  expect(new Set((await Promise.all(others.map((each) => each.next()))).map(({ value }) => value))).toEqual(
    new Set(['1']),
  );
  look.put('2');
  const all = await Promise.all([first, ...others].map((each) => each.next()));
  expect(new Set(all.map(({ value }) => value))).toEqual(new Set(['2']));
  expect([begun, looks.size]).toEqual([1, 1]);
  await Promise.all([first, ...others].map((each) => each.return(undefined)));
  expect(looks.size).toBe(0);
  const { looks: before } = look;
  await immediately();
  expect(look.looks).toBeLessThanOrEqual(before + 1);
});

test('what a slow watcher has not taken becomes one answer', async () => {
  const looks = new SharedLooks<string>();
  const look = scripted();
  const slow = looks.watch('a', () => look, never().signal);
  const fast = looks.watch('a', () => look, never().signal);
  look.put('1');
  expect((await slow.next()).value).toBe('1');
  expect((await fast.next()).value).toBe('1');
  for (const value of ['2', '3', '4']) {
    look.put(value);
    expect((await fast.next()).value).toBe(value);
  }
  expect((await slow.next()).value).toBe('2+3+4');
});

test('a look that fails ends all who watch it, and the next to watch begins anew', async () => {
  const looks = new SharedLooks<string>();
  const look = scripted();
  const watchers = [1, 2].map(() => looks.watch('a', () => look, never().signal));
  const ends = watchers.map((each) => each.next());
  look.fail(new Error('down'));
  for (const end of ends) await expect(end).rejects.toThrow('down');
  const again = scripted();
  again.put('1');
  expect((await looks.watch('a', () => again, never().signal).next()).value).toBe('1');
});

test('a watcher whose signal aborts ends', async () => {
  const looks = new SharedLooks<string>();
  const stop = never();
  const watcher = looks.watch('a', scripted, stop.signal);
  const end = watcher.next();
  stop.abort();
  expect(await end).toEqual({ done: true, value: undefined });
  expect(looks.size).toBe(0);
});
