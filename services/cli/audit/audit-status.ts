import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Topic } from '../../contract/topics.ts';

const offset = z.int().nonnegative();

/** The answer of `GET /status`, as far as the audit needs it. */
const statusSchema = z.object({
  clickhouse_url: z.url(),
  lookback_hours: z.number(),
  lookback_hours_by_type: z.record(z.string(), z.number()),
  models: z.array(z.string()),
  topics: z.array(
    z.object({
      topic: z.string(),
      // `inserted` is null where the topic has no sink, or the sink is not up.
      partitions: z.array(z.object({ partition: offset, end: offset, inserted: offset.nullable() })),
    }),
  ),
  attribution: z.array(z.object({ partition: offset, next_offset: offset })),
});

export type MeshStatus = z.infer<typeof statusSchema>;

const RAW_EVENTS: Topic = 'raw-events';
const NOT_INSERTED: Topic = 'raw-events.DLT';
const POLL_MS = 200;
const CALL_TIMEOUT_MS = 10_000;

/**
 * Asks until attribution and the sink have reached the ends of the log, twice in a row at the same ends: what
 * attribution has done is in the log before it notes that it has. Throws when the time is over or the mesh does not
 * answer.
 */
export async function waitUntilCaughtUp(url: string, timeoutMs: number): Promise<MeshStatus> {
  const giveUpAt = performance.now() + timeoutMs;
  let before: string | undefined;
  for (;;) {
    const status = await getStatus(url);
    const behind = firstBehind(status);
    const ends = JSON.stringify(status.topics);
    if (behind === undefined && ends === before) return status;
    if (performance.now() > giveUpAt)
      throw new Error(`not caught up after ${timeoutMs / 1000} s: ${behind ?? 'still growing'}`);
    before = behind === undefined ? ends : undefined;
    await sleep(POLL_MS);
  }
}

async function getStatus(url: string): Promise<MeshStatus> {
  const response = await fetch(`${url}/status`, { signal: AbortSignal.timeout(CALL_TIMEOUT_MS) }).catch((error) => {
    throw new Error(`${url} does not answer: ${error.cause?.message ?? error.message}`);
  });
  if (!response.ok) throw new Error(`${url}/status answers ${response.status}`);
  const parsed = statusSchema.safeParse(await response.json().catch(() => undefined));
  if (!parsed.success) throw new Error(`${url}/status is not a mesh's status: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** The first partition that has not been read to its end, in words. */
function firstBehind({ topics, attribution }: MeshStatus): string | undefined {
  for (const { topic, partitions } of topics) {
    for (const { partition, end, inserted } of partitions) {
      const folded = attribution.find((each) => each.partition === partition)?.next_offset ?? 0;
      if (topic === RAW_EVENTS && folded < end)
        return `attribution is at ${folded} of ${end} in partition ${partition}`;
      if (topic !== NOT_INSERTED && (inserted ?? 0) < end) {
        return `ClickHouse is at ${inserted ?? 0} of ${end} in partition ${partition} of ${topic}`;
      }
    }
  }
  return undefined;
}

/** Ends and next offsets of raw-events, by partition. */
export function rawEventOffsets({ topics, attribution }: MeshStatus) {
  const partitions = topics.find(({ topic }) => topic === RAW_EVENTS)?.partitions ?? [];
  return partitions.map(({ partition, end }) => ({
    partition,
    end,
    nextOffset: attribution.find((each) => each.partition === partition)?.next_offset ?? 0,
  }));
}
