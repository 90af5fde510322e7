import { readFileSync } from 'node:fs';
import { HOUR_MS } from '../../services/contract/limits.ts';

/** What cases.txt says: its format stands at its head. Texts are latin1, a character for each byte of the JSON. */
export interface Case {
  /** Its place and its event, such as `cases.txt:31 click with "timestamp": 5`. */
  name: string;
  form: Form;
  /** Members of the event in the order of its JSON; none for what is no event. */
  members: readonly Member[];
  /** The whole item of JSON. */
  text: string;
  expected: Verdict;
}

/** Ways that can have it: of all events; of REST and replay, of Connect, of lines, posted lines, Protobuf alone. */
type Form = 'event' | 'item' | 'rest' | 'connect' | 'line' | 'ndjson' | 'typed';

/** A name and a value of a JSON object, both as they stand there. */
export interface Member {
  name: string;
  value: string;
}

/** What became of an event. */
export interface Verdict {
  /** What the log has of an accepted event: the JSON of each field of its type, by name. */
  stored?: Readonly<Record<string, string>>;
  /** Names that the answer says were ignored. */
  ignored?: readonly string[];
  /** Id of a rejected event, as it was sent. */
  rejectedId?: string;
  /** Field, reason, and what the field held, of a rejected event. */
  rejected?: string;
  message?: string;
  /** What the call answered, if not with a result for the event. */
  failed?: string;
}

/** What the log has, by type, of fields that were not sent. */
const EMPTY_FIELDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  click: { metadata: '{}' },
  conversion: { value_micros: '0', metadata: '{}' },
  adjustment: { reason: '""' },
  verdict: { reason: '""' },
};

/** Reads a table. `now` is in ms since 1970-01-01 UTC. Throws an Error with the line for what is not of its format. */
export function readTable(path: string, now: number): Case[] {
  const bases = new Map<string, Member[]>();
  const cases: Case[] = [];
  const lines = readFileSync(path, 'latin1').split('\n');
  for (const [i, line] of lines.entries()) {
    if (line === '' || /^[# ]/.test(line)) continue;
    const [, base, json] = /^base (\w+) (.+)$/.exec(line) ?? [];
    if (base !== undefined) {
      bases.set(base, membersOf(json!));
      continue;
    }
    const where = `${path.split('/').at(-1)}:${i + 1}`;
    try {
      cases.push(readCase(where, line, outcomeBelow(lines, i), bases, now));
    } catch (error) {
      throw new Error(`${where}: ${(error as Error).message}`);
    }
  }
  return cases;
}

/** The next indented lines: cases that follow each other share one outcome. */
function outcomeBelow(lines: readonly string[], at: number): string[] {
  const start = lines.findIndex((line, i) => i > at && line.startsWith(' '));
  const end = lines.findIndex((line, i) => i > start && !line.startsWith(' '));
  return lines.slice(start, end).map((line) => line.trim());
}

function readCase(
  where: string,
  line: string,
  outcome: readonly string[],
  bases: ReadonlyMap<string, Member[]>,
  now: number,
): Case {
  const name = `${where} ${Buffer.from(line, 'latin1')}`;
  const [, typed, kind, rest] = /^(typed )?(\w+) ?(.*)$/.exec(line)!;
  const base = bases.get(kind!);
  if (base === undefined) {
    if (!/^(item|rest|connect|line|ndjson)$/.test(kind!)) throw new Error(`${kind} is no kind of case`);
    const text = unescaped(rest!, now);
    return { name, form: kind as Form, members: [], text, expected: readVerdict(outcome, [], [], now) };
  }
  const [, without = '', added = ''] = /^(?:without ([\w, ]+?))?(?: ?with (.+))?$/.exec(rest!) ?? [];
  if (without === '' && added === '' && rest !== '') throw new Error(`neither with nor without: ${rest}`);
  const patch = membersOf(`{${unescaped(added, now)}}`);
  const gone = new Set([...without.split(', '), ...patch.map((member) => member.name)]);
  const members = [...base.filter((member) => !gone.has(member.name)), ...patch];
  const form = typed !== undefined ? 'typed' : gone.has('event_type') ? 'rest' : 'event';
  return { name, form, members, text: objectOf(members), expected: readVerdict(outcome, base, members, now) };
}

/** `accepted`, `accepted without FIELD with MEMBERS`, `ignored NAMES`; `rejected FIELD REASON GOT` and its message. */
function readVerdict(
  outcome: readonly string[],
  base: readonly Member[],
  sent: readonly Member[],
  now: number,
): Verdict {
  const [first = '', second] = outcome;
  const [, without, changes] = /^accepted(?: without (\w+))?(?: with (.+))?$/.exec(first) ?? [];
  if (first.startsWith('accepted')) {
    const kept = base.filter(({ name }) => name !== without);
    const { event_type: type, ...fields } = fieldsOf([...kept, ...membersOf(`{${unescaped(changes ?? '', now)}}`)]);
    const [, names] = /^ignored (.+)$/.exec(second ?? 'ignored ') ?? [];
    const ignored = names === undefined ? [] : (JSON.parse(`[${utf8(unescaped(names, now))}]`) as string[]);
    return { stored: { ...EMPTY_FIELDS[JSON.parse(type!)], ...fields }, ignored };
  }
  const [, rejected] = /^rejected (.+)$/.exec(first) ?? [];
  if (rejected === undefined || second === undefined) throw new Error('neither accepted nor rejected with a message');
  // What can't be read has no id.
  const rejectedId = rejected.startsWith('event ') ? '' : sentId(sent);
  const [, field, asSent] = /^(\S+) \w+ (\*)$/.exec(rejected) ?? [];
  const value = asSent === undefined ? '' : canonical(utf8(sent.find(({ name }) => name === field)!.value));
  const whole = asSent === undefined ? utf8(unescaped(rejected, now)) : `${rejected.slice(0, -1)}${value}`;
  return { rejectedId, rejected: whole, message: utf8(unescaped(second, now)) };
}

/** The event_id as it goes back in an answer; empty for what is no text. */
function sentId(sent: readonly Member[]): string {
  const value = sent.find(({ name }) => name === 'event_id')?.value ?? '';
  return value.startsWith('"') ? (JSON.parse(utf8(value)) as string).slice(0, 128).toWellFormed() : '';
}

function fieldsOf(members: readonly Member[]): Record<string, string> {
  return Object.fromEntries(members.map(({ name, value }) => [name, canonical(utf8(value))]));
}

/** JSON of a value without what makes no difference; integers of any size keep their digits. */
export function canonical(json: string): string {
  return /^-?\d+$/.test(json) ? String(BigInt(json)) : JSON.stringify(JSON.parse(json));
}

export function utf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString();
}

/** The text of an object. */
export function objectOf(members: readonly Member[]): string {
  return `{${members.map(({ name, value }) => `${name.startsWith('"') ? name : `"${name}"`}:${value}`).join(',')}}`;
}

/** Replaces `\xNN` by that byte, `<now+25h>` by that time in ms, `<date+25h>` by its date, `<ab*3>` by `ababab`. */
function unescaped(text: string, now: number): string {
  return text
    .replaceAll(/\\x([0-9a-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replaceAll(/<now([+-]\d+)h>/g, (_, hours) => String(now + Number(hours) * HOUR_MS))
    .replaceAll(/<date([+-]\d+)h>/g, (_, hours) => new Date(now + Number(hours) * HOUR_MS).toISOString())
    .replaceAll(/<([^<>]+)\*(\d+)>/g, (_, part, times) =>
      Array.from({ length: Number(times) }, (__, i) => part.replaceAll('%', String(i))).join(''),
    );
}

/** A text in quotes, or what reaches to the next comma, bracket or colon. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[^\s",:[\]{}]+|\S/gs;

/** The members of a JSON object, without a look at what its values are: they need not be JSON. */
export function membersOf(object: string): Member[] {
  const members: Member[] = [];
  let depth = 0;
  let name: string | undefined;
  let start: number | undefined;
  for (const { 0: token, index } of object.matchAll(TOKEN)) {
    if (depth === 1 && name === undefined && token.startsWith('"')) name = plainName(token);
    if (depth === 1 && start === undefined && token === ':') start = index + 1;
    if (depth === 1 && (token === ',' || token === '}')) {
      if (name !== undefined) members.push({ name, value: object.slice(start, index).trim() });
      name = undefined;
      start = undefined;
    }
    if (token === '{' || token === '[') depth++;
    if (token === '}' || token === ']') depth--;
  }
  return members;
}

/** A name without its quotes, unless it has an escape. */
function plainName(token: string): string {
  return token.includes('\\') ? token : token.slice(1, -1);
}
