import { crc32 } from 'node:zlib';
import { create } from '@bufbuild/protobuf';
import { expect, test, vi } from 'vitest';
import { ClickSchema, EventSchema } from '../../../gen/ts/clickmesh/v1/event_pb.js';
import { type InputEvent, openSenders, SENDERS } from './ordered-senders.ts';

/** A user of each sender. */
const USERS = Array.from({ length: SENDERS }, (_, sender) => {
  for (let i = 0; ; i++) if (crc32(`user-${i}`) % SENDERS === sender) return `user-${i}`;
});

function event(index: number, userId: string): InputEvent {
  const click = create(ClickSchema, { userId });
  const event = create(EventSchema, { event: { case: 'click', value: click } });
  return { index, line: index + 1, bytes: Buffer.alloc(10), event, ignored: [] };
}

test('after each answer, the first event without one is told', async () => {
  const answers = new Map<number, () => void>();
  const told: number[] = [];
  const senders = openSenders({
    maxEvents: 2,
    send: ([first]) => new Promise((resolve) => void answers.set(first!.index, resolve)),
    answered: (oldest) => void told.push(oldest),
    failed: expect.unreachable,
  });
  const [a, b, c] = USERS;
  const users = [a!, b!, b!, a!, c!, c!, a!];
  for (const [index, user] of users.entries()) await senders.push(event(index, user));
  const finished = senders.finish();
  // The batches begin with 0 and 6 of a, with 1 of b, with 4 of c.
  const order = [4, 1, 0, 6];
  for (const [i, first] of order.entries()) {
    await vi.waitUntil(() => answers.has(first));
    answers.get(first)!();
    await vi.waitUntil(() => told.length > i);
  }
  await finished;
  expect(told).toEqual([0, 0, 6, Number.POSITIVE_INFINITY]);
});
