import { expect, test } from 'vitest';
import { partitionsToFollow } from './standby.ts';

const ALL = Array.from({ length: 24 }, (_, partition) => partition);

function group(...names: string[]) {
  return names.map((name, i) => ({ name, partitions: ALL.filter((partition) => partition % names.length === i) }));
}

test.each([
  [1, 2],
  [1, 4],
  [2, 4],
  [3, 4],
])('%i standbys in a group of %i: every partition is followed by that many, never by its owner', (standbys, nodes) => {
  const members = group(...['a', 'b', 'c', 'd'].slice(0, nodes));
  const followers = ALL.map(() => 0);
  for (const { name, partitions } of members) {
    const followed = partitionsToFollow(members, name, standbys, []);
    for (const partition of followed) followers[partition]!++;
    expect(followed.filter((partition) => partitions.includes(partition))).toEqual([]);
    expect(followed.length, 'the load is shared').toBeLessThan((ALL.length * standbys * 1.9) / nodes + 1);
  }
  expect(followers).toEqual(ALL.map(() => standbys));
});

test('more standbys than other nodes is all of them', () => {
  expect(partitionsToFollow(group('a', 'b'), 'a', 5, [])).toHaveLength(ALL.length / 2);
  expect(partitionsToFollow(group('a'), 'a', 5, [])).toEqual([]);
});

test('a node that has just joined and has no partitions follows, too', () => {
  const members = [...group('a'), { name: 'b', partitions: [] }];
  expect(partitionsToFollow(members, 'b', 1, [])).toEqual(ALL);
});

test('a partition without an owner stays with those who follow it', () => {
  const [, survivor] = group('a', 'b');
  expect(partitionsToFollow([survivor!], 'b', 1, [0, 2, 3])).toEqual([0, 2]);
});
