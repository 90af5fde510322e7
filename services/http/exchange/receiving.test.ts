import { afterEach, expect, test, vi } from 'vitest';
import { BODY_TIMEOUT_MS, Receiving } from './receiving.ts';

let clock = 1_000_000;
vi.spyOn(performance, 'now').mockImplementation(() => clock);
afterEach(() => {
  clock += 1_000_000;
});

/** A part whose error is noted. */
function partOf(receiving: Receiving) {
  const errors: string[] = [];
  const part = receiving.part(({ rawMessage }) => void errors.push(rawMessage));
  return { part, errors };
}

test('what does not come within a minute is cut, and its room is free', () => {
  const receiving = new Receiving(1000);
  const [late, early] = [partOf(receiving), partOf(receiving)];
  late.part.hold(100, 0);
  clock += BODY_TIMEOUT_MS / 2;
  late.part.hold(200, 0);
  early.part.hold(10, 0);
  clock += BODY_TIMEOUT_MS / 2 - 1;
  receiving.cutLate();
  expect([late.errors, early.errors, receiving.bytes]).toEqual([[], [], 210]);
  clock += 1;
  receiving.cutLate();
  expect([late.errors, early.errors]).toEqual([['the request did not come whole within 60 s'], []]);
  expect(receiving.bytes).toBe(10);
});

test('pieces count besides their bytes', () => {
  const receiving = new Receiving(1000);
  const { part, errors } = partOf(receiving);
  part.hold(7, 7);
  expect(errors).toEqual([]);
  part.hold(8, 8);
  expect(errors).toEqual(['too many requests are on their way']);
  expect(receiving.bytes).toBe(0);
});

test('as many of the slow are cut as it takes, from the oldest, and none that is not slow', () => {
  const receiving = new Receiving(1000);
  const parts = Array.from({ length: 5 }, () => partOf(receiving));
  for (const { part } of parts.slice(0, 3)) {
    part.hold(300, 0);
    clock += 1000;
  }
  clock += 2500;
  parts[3]!.part.hold(600, 0);
  expect(parts.map(({ errors }) => errors.length)).toEqual([1, 0, 0, 1, 0]);
  clock += 2000;
  parts[4]!.part.hold(700, 0);
  expect(parts.map(({ errors }) => errors.length)).toEqual([1, 1, 0, 1, 0]);
  expect(receiving.bytes).toBe(1000);
});

test('a part that begins anew is new', () => {
  const receiving = new Receiving(1000);
  const { part, errors } = partOf(receiving);
  part.hold(100, 0);
  clock += BODY_TIMEOUT_MS;
  part.release();
  part.hold(100, 0);
  receiving.cutLate();
  expect([errors, receiving.bytes]).toEqual([[], 100]);
});
