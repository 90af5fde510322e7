import type { ComponentChildren } from 'preact';
import type { EventConflict } from '../../../../../gen/ts/clickmesh/v1/attribution_pb.js';
import type { DeadLetter, ListedConflict } from '../../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { count, exact } from '../../format/number.ts';
import { dateTime } from '../../format/time.ts';
import { Drawer } from '../../parts/drawer.tsx';
import { Icon } from '../../parts/icon.tsx';
import { changeOwn } from '../../state/url.ts';

/** Bytes in a line of a dump. */
const LINE_BYTES = 16;
/** Bytes that the mesh sends of a record at most. */
const SENT_BYTES = 4096;

function Record({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <Drawer label={title} onClose={() => changeOwn({ record: '' })}>
      <header>
        <h2>{title}</h2>
        <form method="dialog">
          <button type="submit" class="iconbtn" aria-label="Close">
            <Icon name="close" />
          </button>
        </form>
      </header>
      {children}
    </Drawer>
  );
}

/** A record that was not taken, byte by byte. */
export function LetterDrawer({ letter, zone }: { letter: DeadLetter; zone: string }) {
  const { topic, partition, offset, arrivalTime, error, value } = letter;
  return (
    <Record title="Dead letter">
      <dl class="kv">
        <dt>Reason</dt>
        <dd>{error}</dd>
        <dt>Topic</dt>
        <dd>{topic}</dd>
        <dt>Partition @ offset</dt>
        <dd>
          {partition} @ {count(offset)}
        </dd>
        <dt>Arrived, {zone}</dt>
        <dd>{dateTime(Number(arrivalTime), zone)}</dd>
        <dt>Value</dt>
        <dd>
          {value.length === 0
            ? 'could be read, and was refused: see raw events'
            : `${count(BigInt(value.length))} bytes${value.length === SENT_BYTES ? ', the first of it' : ''}`}
        </dd>
      </dl>
      {value.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
        <pre class="dump" tabIndex={0}>
          {dump(value)}
        </pre>
      )}
    </Record>
  );
}

/** Offset, bytes in hexadecimal, and characters of ASCII. */
function dump(value: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < value.length; at += LINE_BYTES) {
    const bytes = [...value.subarray(at, at + LINE_BYTES)];
    const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = bytes.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '·')).join('');
    lines.push(`${at.toString(16).padStart(4, '0')}  ${hex.padEnd(3 * LINE_BYTES)} ${text}`);
  }
  return lines.join('\n');
}

const FIELDS: readonly [title: string, of: (event: EventConflict, zone: string) => string][] = [
  ['Time', ({ timestamp }, zone) => dateTime(Number(timestamp), zone)],
  ['Campaign', ({ campaignId }) => campaignId],
  ['Ad', ({ adId }) => adId],
  ['Source', ({ source }) => source],
  ['Type', ({ conversionType }) => conversionType],
  ['Value', ({ valueMicros }) => exact(valueMicros, 2)],
  ['Kind', ({ kind }) => kind],
  ['About', ({ targetId }) => targetId],
  ['Offset', ({ version }) => count(version)],
];

/** The first field that differs, in words. */
export function differenceOf({ kept, notKept }: ListedConflict, zone: string): string {
  if (kept === undefined || notKept === undefined) return 'what was kept is not known any more';
  const [title, of] = FIELDS.find(([, of]) => of(kept, zone) !== of(notKept, zone))!;
  return `${title.toLowerCase()} ${of(kept, zone) || 'none'} kept, ${of(notKept, zone) || 'none'} not`;
}

/** What was kept beside what was not. */
export function ConflictDrawer({ conflict: { kept, notKept }, zone }: { conflict: ListedConflict; zone: string }) {
  const said = FIELDS.map(([title, of]) => [title, kept && of(kept, zone), notKept && of(notKept, zone)] as const);
  return (
    <Record title={`Conflict of a ${notKept?.eventType}`}>
      <dl class="kv">
        <dt>Event</dt>
        <dd class="mono">{notKept?.eventId}</dd>
        <dt>User</dt>
        <dd>{notKept?.userId}</dd>
      </dl>
      <table>
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Kept</th>
            <th scope="col">Not kept</th>
          </tr>
        </thead>
        <tbody>
          {said
            .filter(([, a, b]) => a || b)
            .map(([title, a, b]) => (
              <tr key={title}>
                <th scope="row">{title}</th>
                <td class={a === b ? 'soft' : 'strong'}>{a ?? 'not known any more'}</td>
                <td class={a === b ? 'soft' : 'strong'}>{b}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </Record>
  );
}
