import { Command } from 'commander';
import { z } from 'zod';
import { getText } from './get-text.ts';
import { urlOption } from './options.ts';
import { type Column, renderTable } from './table.ts';

const CALL_TIMEOUT_MS = 10_000;

const number = z.number();
/** The part of `GET /status` that is shown; --json shows all of it. */
const statusSchema = z.object({
  topics: z.array(
    z.object({
      topic: z.string(),
      partitions: z.array(z.object({ partition: number, end: number, inserted: number.nullable() })),
    }),
  ),
  attribution: z.array(z.object({ partition: number, next_offset: number })),
  owners: z.array(z.object({ name: z.string(), partitions: z.array(number) })).default([]),
  watermarks: z.array(z.object({ partition: number, watermark: z.string() })).default([]),
  checkpoints: z.array(z.object({ partition: number, offset: number, takenAt: number })).default([]),
  processes: z
    .array(z.object({ role: z.string(), name: z.string(), pid: number, urls: z.array(z.string()) }))
    .optional(),
  warnings: z.array(z.string()).default([]),
});
type Status = z.infer<typeof statusSchema>;

/** `clickmesh status`: which processes there are and how far every partition has come. */
export const statusCommand = new Command('status')
  .description('Show the processes of a mesh, and per partition who has it, how far it is and how far behind.')
  .addOption(urlOption())
  .option('--json', 'all that is known, as JSON on one line')
  .action(async ({ url, json }: { url: string; json?: boolean }) => {
    const text = await getText(url, '/status', CALL_TIMEOUT_MS);
    process.stdout.write(json ? `${text}\n` : render(statusSchema.parse(JSON.parse(text))));
  });

function render(status: Status): string {
  const { processes, warnings } = status;
  const parts = [renderTable(PARTITION_COLUMNS, partitionRows(status))];
  if (processes !== undefined) parts.unshift(renderTable(PROCESS_COLUMNS, processes));
  if (warnings.length > 0) parts.push(warnings.map((warning) => `WARNING ${warning}\n`).join(''));
  return parts.join('\n');
}

const PROCESS_COLUMNS: Column<NonNullable<Status['processes']>[number]>[] = [
  { title: 'process', text: ({ name }) => name },
  { title: 'pid', text: ({ pid }) => String(pid), right: true },
  { title: 'urls', text: ({ urls }) => urls.join(' ') || 'starting' },
];

interface PartitionRow {
  partition: number;
  end: number;
  lag: number;
  /** Records of all topics not yet in ClickHouse; null where that is not known. */
  notInserted: number | null;
  owner: string;
  watermark: string;
  checkpoint: string;
}

const PARTITION_COLUMNS: Column<PartitionRow>[] = [
  { title: 'partition', text: ({ partition }) => String(partition), right: true },
  { title: 'end', text: ({ end }) => String(end), right: true },
  { title: 'lag', text: ({ lag }) => String(lag), right: true },
  { title: 'not in ClickHouse', text: ({ notInserted }) => String(notInserted ?? '?'), right: true },
  { title: 'owner', text: ({ owner }) => owner },
  { title: 'watermark', text: ({ watermark }) => watermark },
  { title: 'checkpoint', text: ({ checkpoint }) => checkpoint },
];

/** The dead letters are for people, and not inserted. */
function partitionRows({ topics, attribution, owners, watermarks, checkpoints }: Status): PartitionRow[] {
  const rawEvents = topics.find(({ topic }) => topic === 'raw-events')?.partitions ?? [];
  const insertedTopics = topics.filter(({ topic }) => topic !== 'raw-events.DLT');
  return rawEvents.map(({ partition, end }) => {
    const of = <T extends { partition: number }>(rows: T[]) => rows.find((row) => row.partition === partition);
    const behind = insertedTopics.map(({ partitions }) => {
      const own = partitions[partition]!;
      return own.inserted === null && own.end > 0 ? null : own.end - (own.inserted ?? 0);
    });
    const checkpoint = of(checkpoints);
    return {
      partition,
      end,
      lag: end - (of(attribution)?.next_offset ?? 0),
      notInserted: behind.reduce((sum, each) => (sum === null || each === null ? null : sum + each), 0),
      owner: owners.find(({ partitions }) => partitions.includes(partition))?.name ?? '-',
      watermark: of(watermarks)?.watermark ?? '-',
      checkpoint: checkpoint ? `${checkpoint.offset} at ${new Date(checkpoint.takenAt).toISOString()}` : '-',
    };
  });
}
