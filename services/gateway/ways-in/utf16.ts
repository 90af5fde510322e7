import { Code, ConnectError } from '@connectrpc/connect';

/** Byte order marks of UTF-16, and of half of UTF-32. */
const MARKS: ReadonlySet<number> = new Set([0xfeff, 0xfffe]);

/**
 * Throws INVALID_ARGUMENT for JSON in UTF-16 or UTF-32, as PowerShell writes it: every line of it would only be told to
 * be no JSON. It begins with a byte order mark, or with a character of ASCII, beside which is a NUL.
 */
export function assertNotUtf16(body: Buffer): void {
  if (body.length < 2) return;
  const [first, second] = body;
  if (first !== 0 && second !== 0 && !MARKS.has(body.readUInt16BE(0))) return;
  throw new ConnectError('the body is UTF-16: send it as UTF-8', Code.InvalidArgument);
}
