import type { ComponentChildren } from 'preact';
import type { Status, TopicPartition } from '../../data/status.ts';
import { bytes, count, counted, NOTHING } from '../../format/number.ts';
import { ago, clock } from '../../format/time.ts';
import { Badge } from './badge.tsx';
import { eventsOf, lagOf, notInserted, sum } from './sums.ts';

interface Column {
  title: string;
  className?: string;
  cell(of: TopicPartition): ComponentChildren;
  sum?: ComponentChildren;
}

/** Every partition of raw-events. What the mesh does not say has no column. */
export function Partitions({ status, zone }: { status: Status; zone: string }) {
  const events = eventsOf(status);
  const columns = columnsOf(status, zone);
  return (
    <div class="card">
      <header>
        <h2>Partitions</h2>
        <span class="note">of raw-events</span>
        <span class="grow" />
        {status.stalls.length > 0 && <Badge state="stalled" />}
      </header>
      {status.stalls.map(({ reader, topic, partition, offset, waiting, since, reason }) => (
        <p key={`${reader} ${topic} ${partition}`} class="stall failed">
          {reader === 'attribution' ? 'Partition' : `ClickHouse: ${topic}, partition`} {partition} stands at offset{' '}
          {count(BigInt(offset))} since {clock(Date.parse(since), zone)}, {counted(BigInt(waiting), 'record')} waiting:{' '}
          {reason}
        </p>
      ))}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <section class="tscroll" tabIndex={0} aria-label="Partitions">
        <table class="stack">
          <thead>
            <tr>
              {columns.map(({ title, className = 'num' }) => (
                <th key={title} scope="col" class={className}>
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {events.map((of) => (
              <tr key={of.partition}>
                {columns.map(({ title, className = 'num', cell }) => (
                  <td key={title} class={className} data-l={title}>
                    {cell(of)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              {columns.map(({ title, className = 'num', sum: all }) => (
                <td key={title} class={className} data-l={all === undefined ? undefined : title}>
                  {all}
                </td>
              ))}
            </tr>
          </tfoot>
        </table>
      </section>
    </div>
  );
}

const text = (value: number | undefined) => (value === undefined ? NOTHING : count(BigInt(value)));

function columnsOf(status: Status, zone: string): Column[] {
  const events = eventsOf(status);
  const asideOf = (of: TopicPartition) => status.set_aside.find(({ partition }) => partition === of.partition)?.records;
  return [
    { title: 'Partition', cell: ({ partition }) => partition, sum: 'All' },
    ...clusterColumns(status, zone),
    ...stateColumn(status),
    { title: 'End offset', cell: ({ end }) => text(end), sum: text(sum(events.map(({ end }) => end))) },
    {
      title: 'Lag',
      cell: (of) => text(lagOf(status, of)),
      sum: text(sum(events.map((of) => lagOf(status, of)))),
    },
    { title: 'Not stored', cell: (of) => text(notInserted([of])), sum: text(notInserted(events)) },
    {
      title: 'Not published',
      cell: ({ partition, end }) => {
        const known = status.attribution.find((one) => one.partition === partition);
        return text(known && Math.max(0, end - known.committed));
      },
    },
    {
      title: 'Set aside',
      cell: (of) => text(asideOf(of) ?? 0),
      sum: text(sum(status.set_aside.map(({ records }) => records))),
    },
  ];
}

/** Of a mesh of one process. */
function stateColumn({ attribution }: Status): Column[] {
  if (attribution.every(({ state_bytes }) => state_bytes === undefined)) return [];
  const shown = (size: number | undefined) =>
    size === undefined ? (
      NOTHING
    ) : (
      <span data-tip={`about ${count(BigInt(size))} bytes on disk, without the newest writes`}>{bytes(size)}</span>
    );
  const cell = ({ partition }: TopicPartition) =>
    shown(attribution.find((one) => one.partition === partition)?.state_bytes);
  return [{ title: 'State', cell, sum: shown(sum(attribution.map(({ state_bytes }) => state_bytes))) }];
}

/** Of a mesh of several processes. */
function clusterColumns({ owners, watermarks, checkpoints }: Status, zone: string): Column[] {
  const columns: Column[] = [];
  if (owners !== undefined) {
    const cell = ({ partition }: TopicPartition) =>
      owners.find(({ partitions }) => partitions.includes(partition))?.name ?? NOTHING;
    columns.push({ title: 'Owner', className: '', cell, sum: counted(BigInt(owners.length), 'node') });
  }
  if (watermarks !== undefined && watermarks.length > 0) {
    const cell = ({ partition }: TopicPartition) => {
      const mark = watermarks.find((one) => one.partition === partition)?.watermark;
      return mark === undefined ? NOTHING : clock(Date.parse(`${mark.replace(' ', 'T')}Z`), zone);
    };
    columns.push({ title: 'Clock', cell });
  }
  if (checkpoints !== undefined) {
    const cell = ({ partition }: TopicPartition) => {
      const taken = checkpoints.find((one) => one.partition === partition)?.takenAt;
      return taken === undefined ? NOTHING : ago(taken);
    };
    columns.push({ title: 'Checkpoint', cell });
  }
  return columns;
}
