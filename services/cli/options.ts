import { InvalidArgumentError, Option } from 'commander';

/** Where the mesh is. A path is kept (a gateway may be mounted below one), trailing slashes are not. */
export function urlOption(): Option {
  return new Option('--url <url>', 'address of the mesh')
    .env('CLICKMESH_URL')
    .default('http://127.0.0.1:8080')
    .argParser(parseUrl);
}

/** Throws InvalidArgumentError unless it is an http or https URL. */
export function parseUrl(text: string): string {
  const protocol = URL.parse(text)?.protocol;
  if (protocol !== 'http:' && protocol !== 'https:') throw new InvalidArgumentError('Not an http or https URL.');
  return text.replace(/\/+$/, '');
}

/** A parser of whole numbers in [min, max]. */
export function integer(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isInteger(value) || value < min || value > max) {
      throw new InvalidArgumentError(`Not a whole number in [${min}, ${max}].`);
    }
    return value;
  };
}

/** A parser of numbers in [0, 1]. */
export function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('Not a number in [0, 1].');
  return value;
}

/** A parser of days as YYYY-MM-DD. */
export function day(text: string): string {
  const time = Date.parse(`${text}T00:00:00Z`);
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== text) {
    throw new InvalidArgumentError('Not a day as YYYY-MM-DD.');
  }
  return text;
}
