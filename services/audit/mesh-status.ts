import { z } from 'zod';

const count = z.int().nonnegative();
const statusSchema = z.object({
  clickhouse_url: z.url(),
  lookback_hours: z.number(),
  lookback_hours_by_type: z.record(z.string(), z.number()),
  id_hours: z.record(z.string(), z.number()).default({}),
  models: z.array(z.string()),
  report_time_zone: z.string().default('UTC'),
  max_touches: count.default(256),
  touch_hours: z.number().default(48),
  adjustment_hours: z.number().default(90 * 24),
  topics: z.array(
    z.object({
      topic: z.string(),
      // `inserted` is null where the topic has no sink, or the sink is not up.
      partitions: z.array(z.object({ partition: count, end: count, inserted: count.nullable() })),
    }),
  ),
  attribution: z.array(z.object({ partition: count, next_offset: count, committed: count.optional() })),
  set_aside: z.array(z.object({ partition: count, records: count })).default([]),
  stalls: z
    .array(
      z.object({
        ...{ reader: z.string(), topic: z.string(), partition: count },
        ...{ offset: count, waiting: count, since: z.string(), reason: z.string() },
      }),
    )
    .default([]),
  owners: z.array(z.object({ name: z.string(), partitions: z.array(count) })).default([]),
  watermarks: z.array(z.object({ partition: count, watermark: z.string() })).default([]),
  checkpoints: z.array(z.object({ partition: count, offset: count, takenAt: z.number() })).default([]),
  processes: z
    .array(z.object({ role: z.string(), name: z.string(), pid: count, urls: z.array(z.string()) }))
    .optional(),
  warnings: z.array(z.string()).default([]),
});

/** The answer of `GET /status`, as far as it is needed. */
export type MeshStatus = z.infer<typeof statusSchema>;

/** The partitions of raw-events. */
export function rawEvents({ topics }: MeshStatus): MeshStatus['topics'][number]['partitions'] {
  return topics.find(({ topic }) => topic === 'raw-events')?.partitions ?? [];
}

/** First offset of raw-events that attribution has not folded. */
export function nextOffset({ attribution }: MeshStatus, partition: number): number {
  return attribution.find((each) => each.partition === partition)?.next_offset ?? 0;
}

/** Reads what GET /status answers. Throws an Error that says what is not as it should be. */
export function readStatus(json: unknown): MeshStatus {
  const { data, error } = statusSchema.safeParse(json);
  if (error !== undefined) throw new Error(z.prettifyError(error));
  return data;
}
