/** A mark, a text, or another value. */
const TOKEN = new RegExp(
  String.raw`([{}[\],:])|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|` +
    String.raw`(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])`,
  'y',
);

/** What may come next. A first value or key may also be the end of its array or object. */
type Expected = 'value' | 'first value' | 'key' | 'first key' | 'colon' | 'comma';

/** Where a text stops being JSON, by the grammar of RFC 8259, and a hint for what is often meant there. */
export function faultIn(text: string): { at: number; hint: string } {
  const open: string[] = [];
  let expected: Expected = 'value';
  let at = 0;
  for (;;) {
    at = skipBlanks(text, at);
    if (expected === 'comma' && open.length === 0) break;
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    const next: Expected | undefined =
      match === null ? undefined : following(match[1], match[2] !== undefined, expected, open);
    if (next === undefined) break;
    expected = next;
    at = TOKEN.lastIndex;
  }
  const isAfterCr = text[at - 1] === '\r';
  return { at, hint: hintFor(text.slice(at, at + 12), open.length, isAfterCr) };
}

/** What may come after a token; undefined if the token may not be there. */
function following(
  mark: string | undefined,
  isText: boolean,
  expected: Expected,
  open: string[],
): Expected | undefined {
  const atValue = expected === 'value' || expected === 'first value';
  const atKey = expected === 'key' || expected === 'first key';
  if (mark === undefined) return atValue ? 'comma' : atKey && isText ? 'colon' : undefined;
  if (mark === ':') return expected === 'colon' ? 'value' : undefined;
  if (mark === ',') return expected === 'comma' ? (open.at(-1) === '{' ? 'key' : 'value') : undefined;
  if (mark === '{' || mark === '[') {
    if (!atValue) return undefined;
    open.push(mark);
    return mark === '{' ? 'first key' : 'first value';
  }
  const opened = mark === '}' ? '{' : '[';
  const mayEnd = expected === 'comma' || expected === (mark === '}' ? 'first key' : 'first value');
  return mayEnd && open.pop() === opened ? 'comma' : undefined;
}

function hintFor(found: string, depth: number, isAfterCr: boolean): string {
  if (/^[-+]?(NaN|Infinity|inf)/i.test(found)) return '; JSON has no such number, leave the field out';
  if (/^(None|True|False|undefined)/.test(found)) return '; JSON writes null, true, false';
  if (found.startsWith("'")) return '; JSON has double quotes';
  if (/^[}\]]/.test(found)) return '; a comma too many';
  if (depth > 0 || !found.startsWith('{')) return '';
  // CR alone is white space: whatever has such lines is one of them.
  if (isAfterCr) return '; lines of application/x-ndjson end with LF, which here are CR alone';
  return '; one event a line is application/x-ndjson';
}

/** Where what is no white space comes next. */
export function skipBlanks(text: string, from: number): number {
  let at = from;
  while (' \t\r\n'.includes(text[at] ?? 'x')) at++;
  return at;
}
