import { MAX_ID_BYTES } from '../../contract/event-rules.ts';
import type { FieldError } from './field-error.ts';

/** The first of the texts, by the names of their fields, that no event can have. */
export function textFault(texts: Readonly<Record<string, string>>): FieldError | undefined {
  for (const [field, text] of Object.entries(texts)) {
    if (text.includes('\0') || !text.isWellFormed()) {
      return { field, message: `${field} has NUL or half of a surrogate pair, which no event has` };
    }
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_ID_BYTES) {
      return { field, message: `${field} must have at most ${MAX_ID_BYTES} bytes of UTF-8: it has ${bytes}` };
    }
  }
  return undefined;
}
