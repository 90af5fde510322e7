import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { rocksdbStateStores } from './rocksdb-state-store.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'state-'));
});
afterEach(() => rm(dir, { recursive: true }));

const entry = (key: string, value: string) => ({ key: Buffer.from(key), value: Buffer.from(value) });

test('bytes are added at the end of a value, after the puts of the same write', async () => {
  const stores = rocksdbStateStores(dir);
  let store = await stores.open(0);
  const read = (...keys: string[]) => store.getMany(keys.map((key) => Buffer.from(key))).map((value) => `${value}`);
  store.write({ deletes: [], puts: [entry('a', 'one ')], appends: [entry('a', 'two ')] });
  await store.close();
  store = await stores.open(0);
  store.write({ deletes: [], puts: [entry('b', 'only')], appends: [entry('a', 'three')] });
  expect(read('a', 'b')).toEqual(['one two three', 'only']);
  expect(store.scan(Buffer.from('a'), Buffer.from('b'), 10)).toEqual([entry('a', 'one two three')]);
  store.write({ deletes: [Buffer.from('a')], puts: [], appends: [] });
  expect(read('a')).toEqual(['undefined']);
  await store.close();
});
