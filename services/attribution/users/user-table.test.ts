import { expect, test } from 'vitest';
import { encodeUser } from '../../../test/fixtures/user-bytes.ts';
import type { Touch } from '../decision/state.ts';
import { putTouch, TOUCH_WORDS, TouchSpace, touchMemory } from '../memory/touch-memory.ts';
import { StateWriter } from '../store/user-codec.ts';
import { loadUser } from './load-user.ts';
import { NO_USER } from './user-index.ts';
import { CONVERSIONS, OVERFLOW, TOUCHES } from './user-slots.ts';
import { UserTable } from './user-table.ts';

function touch(number: number): Touch {
  const clickId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
  const metadata = number % 7 === 3 ? 'geo\0DE' : '';
  const ad = { adId: `ad-${number % 7}`, campaignId: 'c', source: 's', metadata };
  return { clickId, timestamp: number, arrival: number, ...ad };
}

/** Adds a user with so many touches, whom the store has. */
function add(table: UserTable, userId: string, touches: number): number {
  const slot = table.add(userId);
  const space = touchMemory(TOUCH_WORDS);
  for (let i = 0; i < touches; i++) {
    putTouch(space, 0, touch(i), table.texts);
    table.putTouch(slot, space, 0);
  }
  table.slots.noteStored(slot);
  return slot;
}

function kept(table: UserTable, ids: readonly string[]): string[] {
  return ids.filter((id) => table.index.findText(id) !== NO_USER);
}

test('evicts who was not seen since the hand last came by', () => {
  const table = new UserTable();
  const ids = ['ann', 'bob', 'carl', 'dora'];
  for (const id of ids) add(table, id, 40);
  const budget = table.bytesUsed;
  table.evict(budget);
  expect(kept(table, ids)).toEqual(ids);
  add(table, 'emil', 40);
  table.evict(budget);
  expect(kept(table, [...ids, 'emil'])).toHaveLength(4);
  const [first, ...others] = kept(table, ids);
  table.see(Int32Array.of(table.index.findText(first!)), 1);
  add(table, 'fred', 80);
  table.evict(budget);
  expect(kept(table, [first!])).toEqual([first]);
  expect(kept(table, others).length).toBeLessThan(others.length);
});

test('R-5: forgets nobody whose changes are not stored', () => {
  const table = new UserTable();
  const ids = Array.from({ length: 100 }, (_, i) => `${i}`);
  for (const id of ids) table.touched(add(table, id, 10));
  table.evict(0);
  expect(kept(table, ids)).toEqual(ids);
  expect(table.drop('0')).toBe(false);
  for (const slot of table.takeDirty()) table.slots.noteStored(slot);
  expect(table.takeDirty()).toEqual([]);
  expect(table.drop('0')).toBe(true);
  expect(table.drop('nobody')).toBe(true);
  table.evict(0);
  expect(kept(table, ids)).toEqual([]);
});

test('memory of those that went is used again', () => {
  const table = new UserTable();
  add(table, 'first', 100);
  const used = table.bytesUsed;
  table.drop('first');
  expect(table.bytesUsed).toBeLessThan(used / 5);
  add(table, 'second', 100);
  expect(table.bytesUsed).toBe(used);
});

test('counts what changed, growth included', () => {
  const table = new UserTable();
  add(table, 'unchanged', 1000);
  const slot = add(table, 'ann', 3);
  table.touched(slot);
  const before = table.dirtyBytes;
  const space = touchMemory(TOUCH_WORDS);
  putTouch(space, 0, touch(3), table.texts);
  table.putTouch(slot, space, 0);
  table.touched(slot);
  expect(table.dirtyBytes).toBe(before + 128);
  table.takeDirty();
  expect(table.dirtyBytes).toBe(0);
});

test('a user is the same after it was stored and loaded', () => {
  const table = new UserTable();
  const touches = Array.from({ length: 20 }, (_, i) => touch(i));
  const amounts = { valueMicros: 12n, adjustedMicros: 0n, refundsMicros: 0n };
  const credits = [{ model: 'last_click', touch: touch(5), creditMicros: 1_000_000, ...amounts }];
  const conversions = Array.from({ length: 9 }, (_, i) => {
    const { clickId: conversionId, timestamp, arrival } = touch(100 + i);
    return { conversionId, timestamp, arrival, type: 'buy', valueMicros: 12n, credits, isCounted: true, models: [] };
  });
  const bytes = encodeUser({ touches, conversions, hasOverflow: true });
  const slot = table.add('ann');
  loadUser(table, slot, bytes);
  const loaded = table.touchesOf(slot, new TouchSpace(table.texts));
  expect(loaded.map(({ clickId, timestamp, adId }) => ({ clickId, timestamp, adId }))).toEqual(
    touches.map(({ clickId, timestamp, adId }) => ({ clickId, timestamp, adId })),
  );
  const body = encodeUser({ touches: [], conversions, hasOverflow: true }).subarray(2);
  expect(conversionsOf(table, slot, 0)).toEqual(body);
  expect(conversionsOf(table, slot, 130)).toEqual(body.subarray(130));
  expect(table.slots.has(slot, OVERFLOW)).toBe(true);
  expect(table.slots.isAppendable(slot)).toBe(true);
  expect(table.slots.storedSize(slot, TOUCHES)).toBe(20);
  expect(table.slots.storedSize(slot, CONVERSIONS)).toBe(body.length);
});

function conversionsOf(table: UserTable, slot: number, first: number): Buffer {
  const writer = new StateWriter();
  table.copyConversions(slot, first, writer);
  return Buffer.from(writer.bytes.subarray(0, writer.length));
}
