import { spelledUuid } from './event-id.ts';

/** What programs write for a value that is not there: JavaScript, JSON, SQL, Python, Objective-C, Go. */
export const WORDS = /^(?:undefined|null|NULL|Null|nil|NaN|nan|None|\(null\)|<null>|<nil>)$/;
/** An object that was made a text, and placeholders of templates and ad servers that were not filled in. */
export const UNFILLED = /^(?:\[object \w+\]|\{\{.*\}\}|\$\{.*\}|\{[A-Za-z_][\w.]*\}|<%.*%>|%%.*%%)$/s;
/** Nothing that shows. */
export const INVISIBLE = /^[\p{Z}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]*$/u;
const NIL_UUID = '00000000-0000-0000-0000-000000000000';

/**
 * Whether an id is nobody's: what programs write where there is none, blanks, or the nil UUID, which devices report
 * that may not be tracked. Events of such an id would make strangers one user.
 */
export function isNobody(id: string): boolean {
  if (!isSuspect(id.charCodeAt(0), id.charCodeAt(1))) return false;
  return WORDS.test(id) || UNFILLED.test(id) || INVISIBLE.test(id) || spelledUuid(id) === NIL_UUID;
}

/** Second characters of the texts of nobody, by their first. */
const SECONDS: Readonly<Record<string, string>> = { u: 'nr', U: 'R', n: 'uia', N: 'UuaoI', '0': '0' };
/** What each first character asks for. */
const ALWAYS = 1;
const IF_SECOND = 2;
const SUSPECT = new Uint8Array(256).fill(ALWAYS, 0, 0x21).fill(ALWAYS, 0x7f);
for (const first of Buffer.from('$%(<[{')) SUSPECT[first] = ALWAYS;
for (const first of Buffer.from(Object.keys(SECONDS).join(''))) SUSPECT[first] = IF_SECOND;

/** As isNobody, of a text of one or more bytes. Looks closer only where its first characters ask for it. */
export function isNobodyAt(bytes: Buffer, start: number, end: number): boolean {
  return isSuspect(bytes[start]!, bytes[start + 1]!) && isNobody(bytes.toString('utf8', start, end));
}

/** Whether a text that begins so may be one of nobody's. Numbers are of characters, or of bytes of UTF-8. */
function isSuspect(first: number, second: number): boolean {
  if (!(first < SUSPECT.length)) return true;
  const suspect = SUSPECT[first]!;
  if (suspect !== IF_SECOND) return suspect === ALWAYS;
  return SECONDS[String.fromCharCode(first)]!.includes(String.fromCharCode(second));
}
