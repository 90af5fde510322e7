import { spelledUuid } from './event-id.ts';

/** What programs write for a value that is not there: JavaScript, JSON, SQL, Python, Objective-C, Go. */
const WORDS = /^(?:undefined|null|NULL|Null|nil|NaN|nan|None|\(null\)|<null>|<nil>)$/;
/** An object that was made a text, and placeholders of templates and ad servers that were not filled in. */
const UNFILLED = /^(?:\[object \w+\]|\{\{.*\}\}|\$\{.*\}|\{[A-Za-z_][\w.]*\}|<%.*%>|%%.*%%)$/s;
const INVISIBLE = /^[\p{Z}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]*$/u;
const NIL_UUID = '00000000-0000-0000-0000-000000000000';

/**
 * Whether an id is nobody's: what programs write where there is none, blanks, or the nil UUID, which devices report
 * that may not be tracked. Events of such an id would make strangers one user.
 */
export function isNobody(id: string): boolean {
  return WORDS.test(id) || UNFILLED.test(id) || INVISIBLE.test(id) || spelledUuid(id) === NIL_UUID;
}

/** Second characters of the texts of nobody, by their first. */
const SECONDS: Readonly<Record<string, string>> = { u: 'nr', U: 'R', n: 'uia', N: 'UuaoI', '0': '0' };
const SUSPECT = new Uint8Array(256).fill(1, 0, 0x21).fill(1, 0x7f);
for (const first of Buffer.from('$%(<[{')) SUSPECT[first] = 1;
for (const first of Buffer.from(Object.keys(SECONDS).join(''))) SUSPECT[first] = 2;

/** As isNobody, of a text of one or more bytes. Looks closer only where its first characters ask for it. */
export function isNobodyAt(bytes: Buffer, start: number, end: number): boolean {
  const first = bytes[start]!;
  const suspect = SUSPECT[first]!;
  if (suspect === 0 || (suspect === 2 && !hasSecond(first, bytes[start + 1]!))) return false;
  return isNobody(bytes.toString('utf8', start, end));
}

function hasSecond(first: number, second: number): boolean {
  return SECONDS[String.fromCharCode(first)]!.includes(String.fromCharCode(second));
}
