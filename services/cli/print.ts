/**
 * What a terminal would not show but obey, or draw elsewhere than where it stands: control characters, separators of
 * lines, marks of direction, and halves of surrogate pairs. Joiners belong to scripts and emoji, and stay.
 */
const OBEYED = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\p{Cs}]/gu;
/** The same, but for the ends of lines. A CR alone would write over its line. */
const OBEYED_IN_LINES = new RegExp(`(?!\\n|\\r\\n)${OBEYED.source}`, 'gu');

/** A text of a stranger on one line of a terminal: what could change anything else is escaped as in JSON. */
export function oneLine(text: string): string {
  return text.replace(OBEYED, escaped);
}

/** The same of several lines. */
export function lines(text: string): string {
  return text.replace(OBEYED_IN_LINES, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/**
 * Writes an answer to stdout: to a terminal without what it would obey, else as it is. A pipe that nobody reads any
 * more, as that of `head`, ends the command, without a word and with the exit code that it has so far.
 */
export function print(text: string): void {
  draw(process.stdout.isTTY ? lines(text) : text);
}

/** The same of what a terminal shall obey: the texts in it must have been escaped. */
export function draw(text: string): void {
  if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', end);
  process.stdout.write(text);
}

function end(error: NodeJS.ErrnoException): never {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
}

/** Scripts and signs that are two columns wide (East Asian Width W and F), apart from emoji. */
const WIDE = new RegExp(
  '[\\u1100-\\u115f\\u2e80-\\u303e\\u3041-\\ua4cf\\ua960-\\ua97f\\uac00-\\ud7a3\\uf900-\\ufaff\\ufe10-\\ufe19\\ufe30-\\ufe6f' +
    '\\uff01-\\uff60\\uffe0-\\uffe6\\u{16fe0}-\\u{1b2ff}\\u{1f200}-\\u{1f265}\\u{20000}-\\u{3fffd}]',
  'u',
);
const EMOJI = /\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|[0-9#*]\ufe0f\u20e3/u;
/** Nothing but marks, which stand on what is before them. */
const MARKS = /^[\p{M}\u200b-\u200d\u2060\u00ad]+$/u;

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** How many columns of a terminal a text takes that has no control characters. */
export function widthOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    if (!MARKS.test(segment)) width += WIDE.test(segment) || EMOJI.test(segment) ? 2 : 1;
  }
  return width;
}
