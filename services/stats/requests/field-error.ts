import { cut } from '../../contract/cut.ts';

/** A field of a request that can't be answered, and why, for people: the message begins with the field. */
export interface FieldError {
  field: string;
  message: string;
}

/** The error of a name that is none of those known, of which it names the near one. */
export function unknownName(name: string, known: readonly string[]): FieldError {
  const field = cut(name);
  return { field, message: `${field} is unknown${hint(name, known)} Known are ${known.join(', ')}` };
}

/** The error of a field whose value is none of those known. */
export function unknownValue(field: string, value: string, known: readonly string[]): FieldError {
  const message = `${field} "${cut(value)}" is unknown${hint(value, known)} Known are ${known.join(', ')}`;
  return { field, message };
}

/** Ends a sentence: asks for the near name if there is one. */
export function hint(name: string, known: readonly string[]): string {
  const near = nearOf(name, known);
  return near === undefined ? '.' : `: is ${near} meant?`;
}

/** The known name that is the same in other spelling, or else the first that contains it. */
function nearOf(name: string, known: readonly string[]): string | undefined {
  const letters = lettersOf(name);
  if (letters === '') return undefined;
  return known.find((each) => lettersOf(each) === letters) ?? known.find((each) => lettersOf(each).includes(letters));
}

function lettersOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}
