import { expect, test } from 'vitest';
import { checksOfAll } from './readiness.ts';

const ok = { ok: true } as const;

test('all are ready if each is', () => {
  const answers = [1, 2].map((worker) => ({ worker, answer: { log: ok } }));
  expect(checksOfAll(answers)).toEqual({ workers: ok, log: ok });
});

test('the first that is not says why, and who did not answer is named', () => {
  const answers = [
    { worker: 1, answer: { log: ok, clickhouse: ok } },
    { worker: 2, answer: { log: { ok: false, reason: 'Kafka is away' } as const, clickhouse: ok } },
    { worker: 3, answer: null },
  ];
  expect(checksOfAll(answers)).toEqual({
    workers: { ok: false, reason: 'worker 3: does not answer' },
    log: { ok: false, reason: 'worker 2: Kafka is away' },
    clickhouse: ok,
  });
});
