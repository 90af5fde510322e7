import { Code, ConnectError } from '@connectrpc/connect';

/** Byte order marks of UTF-16, and of half of UTF-32. */
const WIDE_MARKS: ReadonlySet<number> = new Set([0xfeff, 0xfffe]);
const GZIP_MAGIC = 0x1f8b;

/**
 * Throws INVALID_ARGUMENT for a body of JSON that is of another encoding than it was said to be: every line of it would
 * only be told to be no JSON. UTF-16, as PowerShell writes it, begins with a byte order mark, or has a NUL beside its
 * first character, which is one of ASCII.
 */
export function assertUtf8(body: Buffer): void {
  if (body.length < 2) return;
  const start = body.readUInt16BE(0);
  if (body[0] === 0 || body[1] === 0 || WIDE_MARKS.has(start)) throw invalid('UTF-16: send it as UTF-8');
  if (start === GZIP_MAGIC) throw invalid("gzip: say so by the header 'content-encoding: gzip'");
}

function invalid(what: string): ConnectError {
  return new ConnectError(`the body is ${what}`, Code.InvalidArgument);
}
