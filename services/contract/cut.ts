/** Most characters of what was received that an answer repeats. */
export const MAX_CUT = 64;

/** A text as an answer repeats it: well-formed, and short. */
export function cut(text: string): string {
  return text.length <= MAX_CUT ? text.toWellFormed() : `${text.slice(0, MAX_CUT - 1).toWellFormed()}…`;
}
