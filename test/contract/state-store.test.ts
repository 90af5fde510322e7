import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { rocksdbStateStores } from '../../services/attribution/store/rocksdb-state-store.ts';
import type { StateEntry, StateStore } from '../../services/attribution/store/state-store.ts';
import { memoryStateStore } from '../fixtures/memory-state-store.ts';

/** Entries whose bytes all lie in one buffer, overwritten when the next one is taken, as the users' writer does. */
function* inOneBuffer(entries: readonly [key: string, value: string][]): Generator<StateEntry> {
  const buffer = Buffer.alloc(64);
  for (const [key, value] of entries) {
    const split = buffer.write(key);
    const end = split + buffer.write(value, split);
    yield { key: buffer.subarray(0, split), value: buffer.subarray(split, end) };
    buffer.fill('?');
  }
}

/** Promises of services/attribution/store/state-store.ts that a caller relies on, for any adapter. */
function contract(open: () => Promise<StateStore>): void {
  test('R-7: a write has copied an entry before it takes the next one', async () => {
    const store = await open();
    const read = (...keys: string[]) => store.getMany(keys.map((key) => Buffer.from(key))).map((value) => `${value}`);
    store.write({
      deletes: [],
      puts: inOneBuffer([
        ['ann', 'first '],
        ['bob', 'second '],
      ]),
      appends: inOneBuffer([
        ['bob', 'third'],
        ['carl', 'fourth'],
      ]),
    });
    expect(read('ann', 'bob', 'carl')).toEqual(['first ', 'second third', 'fourth']);
    store.write({
      deletes: (function* () {
        for (const { key } of inOneBuffer([
          ['ann', ''],
          ['carl', ''],
        ]))
          yield key;
      })(),
      puts: [],
      appends: [],
    });
    expect(read('ann', 'bob', 'carl')).toEqual(['undefined', 'second third', 'undefined']);
    await store.close();
  });

  test('entries are read from either end of a range, its beginning included, its end not', async () => {
    const store = await open();
    const entries = ['a', 'b', 'b\0', 'bb', 'c'].map((key) => ({ key: Buffer.from(key), value: Buffer.from('v') }));
    store.write({ deletes: [], puts: entries, appends: [] });
    store.write({
      deletes: [Buffer.from('bb')],
      puts: [{ key: Buffer.from([0x62, 0xff]), value: Buffer.of() }],
      appends: [],
    });
    const [from, to] = [Buffer.from('b'), Buffer.from('c')];
    const keys = (found: StateEntry[]) => found.map(({ key }) => key.toString('latin1'));
    expect(keys(store.scan(from, to, 10))).toEqual(['b', 'b\0', 'b\xff']);
    expect(keys(store.scanBack(from, to, 10))).toEqual(['b\xff', 'b\0', 'b']);
    expect(keys(store.scan(from, to, 2))).toEqual(['b', 'b\0']);
    expect(keys(store.scanBack(from, to, 1))).toEqual(['b\xff']);
    expect(keys(store.scanBack(from, from, 1))).toEqual([]);
    await store.close();
  });

  test('a range is dropped, its beginning included, its end not', async () => {
    const store = await open();
    const entries = ['a', 'b', 'b\0', 'c', 'd'].map((key) => ({ key: Buffer.from(key), value: Buffer.from('v') }));
    store.write({ deletes: [], puts: entries, appends: [] });
    store.drop(Buffer.from('b'), Buffer.from('c'));
    store.write({ deletes: [], puts: [], appends: [{ key: Buffer.from('b'), value: Buffer.from('again') }] });
    const left = store.scan(Buffer.from('a'), Buffer.from('e'), 10).map(({ key, value }) => `${key} ${value}`);
    expect(left).toEqual(['a v', 'b again', 'c v', 'd v']);
    expect(store.getMany([Buffer.from('b\0')])).toEqual([undefined]);
    await store.close();
  });
}

describe('in memory', () => contract(async () => memoryStateStore()));

describe('in RocksDB', () =>
  contract(async () => {
    const dir = await mkdtemp(join(tmpdir(), 'clickmesh-state-'));
    onTestFinished(() => rm(dir, { recursive: true }));
    return rocksdbStateStores(dir).open(0);
  }));
