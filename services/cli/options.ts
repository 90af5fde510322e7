import { InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';

/** Where the mesh is. A path is kept (a gateway may be mounted below one), trailing slashes are not. */
export function urlOption(): Option {
  return new Option('--url <url>', 'address of the mesh')
    .env('CLICKMESH_URL')
    .default('http://127.0.0.1:8080')
    .argParser(url);
}

const webUrl = z.url({ protocol: /^https?$/ }).transform((text) => text.replace(/\/+$/, ''));

function url(text: string): string {
  const parsed = webUrl.safeParse(text);
  if (parsed.success && !/[?#]/.test(text)) return parsed.data;
  const withScheme = `http://${text}`;
  const isMeant = !text.includes('://') && webUrl.safeParse(withScheme).success;
  throw new InvalidArgumentError(`Not an http or https URL${isMeant ? `: is ${withScheme} meant?` : '.'}`);
}

const number = z.string().regex(/\S/).transform(Number);

/** A parser of whole numbers in [min, max]. */
export function integer(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return parser(number.pipe(z.int().min(min).max(max)), `Not a whole number in [${min}, ${max}].`);
}

/** A parser of numbers in [0, 1]. */
export const share = parser(number.pipe(z.number().min(0).max(1)), 'Not a number in [0, 1].');

/** A parser of days as YYYY-MM-DD. */
export const day = parser(z.iso.date(), 'Not a day as YYYY-MM-DD.');

/** A parser of texts that refuses an empty one: a shell variable that is not set must not widen the question. */
export const filled = parser(z.string().min(1), 'It is empty: give it a value, or leave it out.');

function parser<T>(schema: z.ZodType<T>, complaint: string): (text: string) => T {
  return (text) => {
    const parsed = schema.safeParse(text);
    if (!parsed.success) throw new InvalidArgumentError(complaint);
    return parsed.data;
  };
}
