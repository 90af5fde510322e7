import type { FieldError } from '../requests/field-error.ts';

/** The limit of a request, or `byDefault` if it has none. */
export function parseLimit(limit: number, byDefault: number, most: number): number | FieldError {
  if (limit <= most) return limit || byDefault;
  return { field: 'limit', message: `limit must be in [1, ${most}]: it is ${limit}` };
}

/** Rows of a page of a list. */
export const PAGE = { byDefault: 100, most: 1000 } as const;
