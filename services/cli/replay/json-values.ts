/** A JSON value of the input, or a piece of it that is none. */
export interface Piece {
  /** Line of the input that it begins in, from 1. */
  line: number;
  /** As they came; undefined where there are more than the limit. */
  bytes: Buffer | undefined;
}

/**
 * Containers within containers: what looks deeper is read as broken values, one a line, lest each of many lines without
 * an end is looked at to the limit.
 */
const MAX_DEPTH = 100;

const [TAB, NEWLINE, RETURN, SPACE] = [0x09, 0x0a, 0x0d, 0x20];
const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
/** White space aside. */
const BEHIND_VALUE = [NEWLINE, COMMA, OPEN_OBJECT, OPEN_ARRAY, CLOSE_ARRAY];
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/** Where reading goes on behind a broken value: at the next line that begins an object, or an array of them. */
const NEXT_LINE = /\n[ \t\r]*(?=\{|\[\s*\{)/;
/** As NEXT_LINE, or at the array's next object in the line. */
const NEXT_ITEM = /\n[ \t\r]*(?=\{|\[\s*\{)|\}\s*,\s*(?=\{)/;
const LINE_END = /(?=\n)/;
/** Longest match of NEXT_ITEM that is found across two chunks, in bytes. */
const MATCH_BYTES = 256;
/** Bytes in which most matches are. */
const NEAR_BYTES = 1024;

/** No end yet: the value may go on behind what is known. */
const UNFINISHED = -1;
/** No end: whatever follows, this is no JSON. */
const BROKEN = -2;
/** An end, but behind it something that is no JSON. */
const GARBAGE_BEHIND = -3;

/**
 * Cuts text into JSON values: objects one a line, several on a line or over several lines, with white space or commas
 * between, or in arrays. Where values begin and end is all that it looks at: whether a piece is JSON is for a parser. A
 * line that begins no value is a piece by itself; so is a broken value, up to the next line that begins an object. No
 * more is kept in memory than the limit and a chunk.
 */
export class ValueSplitter {
  private readonly maxBytes: number;
  private rest: Buffer = Buffer.alloc(0);
  private position = 0;
  /** What ends the piece that is too long and being skipped. */
  private skipTo: RegExp | undefined;
  /** Line of the position, from 1. */
  line = 1;
  /** Line in which the array around the position begins; undefined if there is none. */
  arrayLine: number | undefined;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** The pieces that end in the chunk. */
  *add(chunk: Buffer): Generator<Piece> {
    this.rest = this.position === this.rest.length ? chunk : Buffer.concat([this.rest.subarray(this.position), chunk]);
    this.position = 0;
    yield* this.pieces(false);
  }

  /** The last pieces. */
  *end(): Generator<Piece> {
    yield* this.pieces(true);
  }

  private *pieces(atEnd: boolean): Generator<Piece> {
    if (this.skipTo !== undefined && !this.skip(this.skipTo, atEnd)) return;
    while (this.toNextPiece()) {
      const { line, position: start } = this;
      const end = this.endOfPiece(atEnd);
      if (end !== UNFINISHED) {
        const bytes = withoutTail(this.rest.subarray(start, end));
        this.goOnAt(end);
        yield { line, bytes: bytes.length > this.maxBytes ? undefined : bytes };
      } else if (this.skipTo !== undefined) {
        yield { line, bytes: undefined };
        if (!this.skip(this.skipTo, atEnd)) return;
      } else {
        return;
      }
    }
  }

  /** Moves behind white space, commas and the brackets around items. Returns whether something is left. */
  private toNextPiece(): boolean {
    const { rest } = this;
    for (; this.position < rest.length; this.position++) {
      const byte = rest[this.position]!;
      if (byte === NEWLINE) this.line++;
      else if (byte === OPEN_ARRAY && this.arrayLine === undefined) this.arrayLine = this.line;
      else if (byte === CLOSE_ARRAY && this.arrayLine !== undefined) this.arrayLine = undefined;
      else if (byte === BYTE_ORDER_MARK[0] && BYTE_ORDER_MARK.equals(rest.subarray(this.position, this.position + 3)))
        this.position += 2;
      else if (!isBlank(byte) && byte !== COMMA) return true;
    }
    return false;
  }

  /** The end of the piece at the position; UNFINISHED if that is not known yet, or if `skipTo` is to find it. */
  private endOfPiece(atEnd: boolean): number {
    const { rest, position: start } = this;
    const inArray = this.arrayLine !== undefined;
    const isValue = rest[start] === OPEN_OBJECT || rest[start] === OPEN_ARRAY;
    const end = isValue ? endOfValue(rest, start, atEnd) : endOfJunk(rest, start, inArray);
    if (end >= 0) return end;
    const tooLong = rest.length - start > this.maxBytes;
    if (end === UNFINISHED && !atEnd && !tooLong) return UNFINISHED;
    const next = inArray ? NEXT_ITEM : isValue && end !== GARBAGE_BEHIND ? NEXT_LINE : LINE_END;
    const found = find(next, rest, start);
    if (found !== -1) return found;
    if (atEnd) return rest.length;
    if (tooLong) this.skipTo = next;
    return UNFINISHED;
  }

  /** Moves to where the piece that is too long ends. Returns whether that is known already. */
  private skip(to: RegExp, atEnd: boolean): boolean {
    const found = find(to, this.rest, this.position);
    if (found === -1) {
      this.moveTo(atEnd ? this.rest.length : Math.max(this.position, this.rest.length - MATCH_BYTES));
      return atEnd;
    }
    this.goOnAt(found);
    this.skipTo = undefined;
    return true;
  }

  private goOnAt(end: number): void {
    this.moveTo(end);
    // An array that begins here is not in the one before: the end of that is lost in a broken value.
    if (this.rest[end] === OPEN_ARRAY) this.arrayLine = undefined;
  }

  private moveTo(end: number): void {
    const { rest } = this;
    for (let at = rest.indexOf(NEWLINE, this.position); at !== -1 && at < end; at = rest.indexOf(NEWLINE, at + 1)) {
      this.line++;
    }
    this.position = end;
  }
}

/** The end of the first match, from where on there are other pieces; -1 if there is none. */
function find(pattern: RegExp, bytes: Buffer, from: number): number {
  // Of many broken values each would make a text of all that is known.
  for (const end of [from + NEAR_BYTES, bytes.length]) {
    const match = pattern.exec(bytes.toString('latin1', from, end));
    if (match !== null) return from + match.index + match[0].length;
  }
  return -1;
}

/** The end of the object or array that begins there, if nothing but another piece, a comma or a bracket follows it. */
function endOfValue(bytes: Buffer, start: number, atEnd: boolean): number {
  const open: number[] = [];
  let before = 0;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) {
      at = endOfText(bytes, at);
      if (at < 0) return at;
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      if (open.length === MAX_DEPTH || (open.length > 0 && !mayOpen(open.at(-1)!, before))) return BROKEN;
      open.push(byte);
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      open.pop();
      if (open.length === 0) return followedByPiece(bytes, at + 1, atEnd);
    }
    if (!isBlank(byte) && byte !== NEWLINE) before = byte;
  }
  return UNFINISHED;
}

/** Whether a value may begin in a container behind a byte, white space aside. */
function mayOpen(container: number, before: number): boolean {
  return container === OPEN_OBJECT ? before === COLON : before === COMMA || before === OPEN_ARRAY;
}

/** Where the text's closing quote is. */
function endOfText(bytes: Buffer, quote: number): number {
  for (let at = quote + 1; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at++;
    else if (byte === NEWLINE) return BROKEN;
  }
  return UNFINISHED;
}

function followedByPiece(bytes: Buffer, end: number, atEnd: boolean): number {
  let at = end;
  while (at < bytes.length && isBlank(bytes[at]!)) at++;
  if (at === bytes.length) return atEnd ? end : UNFINISHED;
  return BEHIND_VALUE.includes(bytes[at]!) ? end : GARBAGE_BEHIND;
}

/** The end of the line, or of the item where it is one of an array. */
function endOfJunk(bytes: Buffer, start: number, inArray: boolean): number {
  if (!inArray) return bytes.indexOf(NEWLINE, start);
  for (let at = start, quoted = false; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === NEWLINE || (!quoted && (byte === COMMA || byte === CLOSE_ARRAY))) return at;
    if (byte === QUOTE) quoted = !quoted;
    else if (byte === BACKSLASH) at++;
  }
  return UNFINISHED;
}

/** Without the white space and commas at its end. */
function withoutTail(piece: Buffer): Buffer {
  let end = piece.length;
  while (end > 0 && (isBlank(piece[end - 1]!) || piece[end - 1] === NEWLINE || piece[end - 1] === COMMA)) end--;
  return piece.subarray(0, end);
}

/** Whether it is white space of JSON within a line. */
function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === RETURN;
}
