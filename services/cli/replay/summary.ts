import { cut } from '../../contract/cut.ts';
import { EVENT_TYPES, type EventType } from '../../contract/event-rules.ts';
import { type Column, renderTable } from '../table.ts';
import { count } from './progress.ts';
import { type Reason, reasonsOf } from './reject-file.ts';

/** What became of a file, counted while it is sent. */
export class ReplaySummary {
  /** Events that were answered: accepted or rejected by the mesh. */
  sent = 0;
  accepted = 0;
  /** Accepted events by type. */
  readonly types = new Map<EventType, number>();
  /** By the mesh, or here because the event could not be read. */
  rejected = 0;
  /** Rejected events by reason and field, such as "required user_id". */
  readonly reasons = new Map<string, number>();
  /** Events in which a name was ignored, by name. */
  readonly ignored = new Map<string, number>();
  /** Accepted events that are older than the mesh knows event_ids, by such as "clicks older than 48 h". */
  readonly old = new Map<string, number>();
  /** The file of the rejects; undefined if there are none. */
  rejects: string | undefined;
  seconds = 0;
  /** Why it ended before the end of the input. */
  stopped: 'interrupted' | Error | undefined;

  countAccepted(type: EventType): void {
    this.accepted++;
    increment(this.types, type);
  }

  countRejected({ reason, field }: Reason): void {
    this.rejected++;
    increment(this.reasons, `${reason} ${field}`.trim());
  }

  countIgnored(names: readonly string[]): void {
    for (const name of names) {
      const short = cut(name);
      increment(this.ignored, this.ignored.has(short) || this.ignored.size < MAX_NAMES ? short : OTHER_NAMES);
    }
  }

  countOld(eventType: EventType, hours: number): void {
    increment(this.old, `${eventType}s older than ${hours} h`);
  }
}

/** Names that are counted each by itself, so that a file with others in every event needs no more memory. */
const MAX_NAMES = 1000;
const OTHER_NAMES = '(others)';
const MAX_NAMES_SHOWN = 20;

function increment<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** A name for a terminal: without characters of control. */
function printable(name: string): string {
  return name.replace(/\p{C}/gu, '?');
}

/** The summary for people: a line, and tables of what is to be looked at. */
export function summaryText(summary: ReplaySummary): string {
  const { types, reasons, ignored, old, rejects } = summary;
  const parts = [summaryLine(summary)];
  if (types.size > 0) parts.push(typesLine(types));
  if (reasons.size > 0) parts.push(table(reasons, 'rejected', 'because'));
  if (rejects !== undefined) parts.push(`rejected events are in ${rejects}, the reasons in ${reasonsOf(rejects)}\n`);
  if (ignored.size > 0) parts.push(table(ignored, 'events', 'name that was ignored'));
  if (old.size > 0) parts.push(`${table(old, 'events', 'that are old')}${OLD_MEANS}`);
  return parts.join('\n');
}

const OLD_MEANS =
  'For so long after an event arrived its event_id is known: what the mesh had before, longer ago, counts twice now.\n';

function summaryLine({ sent, accepted, rejected, seconds, stopped }: ReplaySummary): string {
  const end = stopped === 'interrupted' ? 'interrupted: ' : '';
  return `${end}sent ${sent}, accepted ${accepted}, rejected ${rejected} in ${seconds.toFixed(1)} s, ${count(sent / Math.max(seconds, 0.001))} events/s\n`;
}

/** `accepted are 1,800 clicks, 1 conversion`, in the order of the contract. */
function typesLine(types: ReadonlyMap<EventType, number>): string {
  const parts = EVENT_TYPES.flatMap((type) => {
    const events = types.get(type);
    return events === undefined ? [] : [`${count(events)} ${type}${events === 1 ? '' : 's'}`];
  });
  return `accepted are ${parts.join(', ')}\n`;
}

function table(counts: ReadonlyMap<string, number>, number: string, what: string): string {
  const rows = [...counts].sort(([, a], [, b]) => b - a);
  const columns: Column<[string, number]>[] = [
    { title: number, text: ([, events]) => count(events), right: true },
    { title: what, text: ([name]) => printable(name) },
  ];
  const more = rows.length - MAX_NAMES_SHOWN;
  return renderTable(columns, rows.slice(0, MAX_NAMES_SHOWN)) + (more > 0 ? `... and ${count(more)} more\n` : '');
}
