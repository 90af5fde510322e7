import type { Status, TopicPartition } from '../../data/status.ts';

export const NO_PARTITIONS: readonly TopicPartition[] = [];

export function eventsOf({ topics }: Status): readonly TopicPartition[] {
  return topics.find(({ topic }) => topic === 'raw-events')?.partitions ?? NO_PARTITIONS;
}

/** Partitions of the topics that ClickHouse stores. */
export function storedOf({ topics }: Status): TopicPartition[] {
  return topics.flatMap(({ partitions }) => (partitions.some(({ inserted }) => inserted !== null) ? partitions : []));
}

/** Records that are not in ClickHouse; undefined if that is not known of one of the partitions. */
export function notInserted(partitions: readonly TopicPartition[]): number | undefined {
  return sum(
    partitions.map(({ end, inserted }) =>
      inserted === null && end > 0 ? undefined : Math.max(0, end - (inserted ?? 0)),
    ),
  );
}

/** Records that are not folded, of a partition; undefined if that is not known. */
export function lagOf({ attribution }: Status, { partition, end }: TopicPartition): number | undefined {
  const known = attribution.find((one) => one.partition === partition);
  return known && Math.max(0, end - known.next_offset);
}

/** Undefined if one of them is. */
export function sum(values: readonly (number | undefined)[]): number | undefined {
  return values.reduce<number | undefined>(
    (all, value) => (all === undefined || value === undefined ? undefined : all + value),
    0,
  );
}
