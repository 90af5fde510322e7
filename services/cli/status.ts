import { Command } from 'commander';
import { type MeshStatus, nextOffset, rawEvents } from '../audit/mesh-status.ts';
import { NOT_INSERTED, type Topic } from '../contract/topics.ts';
import { getStatus, getStatusText } from './ask-mesh.ts';
import { urlOption } from './options.ts';
import { print } from './print.ts';
import { type Column, renderTable } from './table.ts';

/** `clickmesh status`: which processes there are and how far every partition has come. */
export const statusCommand = new Command('status')
  .description('Show the processes of a mesh, and per partition who has it, how far it is and how far behind.')
  .addOption(urlOption())
  .option('--json', 'all that is known, as JSON on one line')
  .action(async ({ url, json }: { url: string; json?: boolean }) => {
    print(json ? `${await getStatusText(url)}\n` : render(await getStatus(url)));
  });

function render(status: MeshStatus): string {
  const { processes } = status;
  const warnings = [...status.stalls.map(stallText), ...status.set_aside.map(asideText), ...status.warnings];
  const parts = [renderTable(partitionColumns(status), rawEvents(status))];
  if (processes !== undefined) parts.unshift(renderTable(PROCESS_COLUMNS, processes));
  if (warnings.length > 0) parts.push(warnings.map((warning) => `WARNING ${warning}\n`).join(''));
  return parts.join('\n');
}

function asideText({ partition, records }: MeshStatus['set_aside'][number]): string {
  return `the fold failed at ${records} records of partition ${partition}: they are in raw-events.DLT, and not counted`;
}

function stallText({ reader, topic, partition, ...stall }: MeshStatus['stalls'][number]): string {
  const { offset, waiting, since, reason } = stall;
  const at = `${reader} is at ${offset} of ${topic}, partition ${partition}, since ${since}`;
  return `${at}, and ${waiting} records wait: ${reason}`;
}

const PROCESS_COLUMNS: Column<NonNullable<MeshStatus['processes']>[number]>[] = [
  { title: 'process', text: ({ name }) => name },
  { title: 'pid', text: ({ pid }) => String(pid), right: true },
  { title: 'urls', text: ({ urls }) => urls.join(' ') || 'starting' },
];

function partitionColumns(status: MeshStatus): Column<ReturnType<typeof rawEvents>[number]>[] {
  const { topics, owners, watermarks, checkpoints } = status;
  const of = <T extends { partition: number }>(rows: T[], partition: number) =>
    rows.find((row) => row.partition === partition);
  return [
    { title: 'partition', text: ({ partition }) => String(partition), right: true },
    { title: 'end', text: ({ end }) => String(end), right: true },
    { title: 'lag', text: ({ partition, end }) => String(end - nextOffset(status, partition)), right: true },
    { title: 'not in ClickHouse', text: ({ partition }) => String(notInserted(topics, partition) ?? '?'), right: true },
    {
      title: 'owner',
      text: ({ partition }) => owners.find((each) => each.partitions.includes(partition))?.name ?? '-',
    },
    { title: 'watermark', text: ({ partition }) => of(watermarks, partition)?.watermark ?? '-' },
    { title: 'checkpoint', text: ({ partition }) => checkpointText(of(checkpoints, partition)) },
  ];
}

function checkpointText(checkpoint: MeshStatus['checkpoints'][number] | undefined): string {
  return checkpoint ? `${checkpoint.offset} at ${new Date(checkpoint.takenAt).toISOString()}` : '-';
}

/**
 * Records of a partition of all topics that are not yet in ClickHouse, and are to be; null where that is not known.
 */
function notInserted(topics: MeshStatus['topics'], partition: number): number | null {
  let records = 0;
  for (const { topic, partitions } of topics) {
    if (NOT_INSERTED.includes(topic as Topic)) continue;
    const { end, inserted } = partitions[partition]!;
    if (inserted === null && end > 0) return null;
    records += end - (inserted ?? 0);
  }
  return records;
}
