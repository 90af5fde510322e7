import type { QueueFull, Rejected, SendFailed } from './errors.ts';
import type { CompletedEvent } from './events.ts';

/** Headers of every request, or a function that is asked for those of each. */
export type HeaderSource =
  | Readonly<Record<string, string>>
  | (() => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>);

/** What takes warnings: a function, or a logger that has `warn`. */
export type WarningLog = ((line: string) => void) | { warn(line: string): void };

/** What may be set, with its default. */
export interface ClickmeshOptions {
  /** Longest time of a call with all its attempts, in ms, at most a day. 30,000. */
  timeoutMs?: number;
  /** Longest time of one attempt, in ms, at most a day. 10,000. */
  attemptTimeoutMs?: number;
  /** Tracked events go out when this many wait, 1 to 1,000. 500. */
  batchSize?: number;
  /** Tracked events go out when the first has waited this long, in ms, at most 60,000. 50. */
  batchDelayMs?: number;
  /** The queue is full with this many tracked events that have no answer. 10,000. */
  maxQueueEvents?: number;
  /** The queue is full with this many bytes of tracked events, 1 MiB to 16 GiB. 64 MiB. */
  maxQueueBytes?: number;
  /**
   * What track() does while the queue is full. "wait": goes on taking events up to maxQueueBytes, for callers that do
   * not `await ready()`. "reject": rejects with QueueFull. "wait".
   */
  onFull?: 'wait' | 'reject';
  /** Sent with every request. */
  headers?: HeaderSource;
  /** Sent as `authorization: Bearer …`. */
  key?: string;
  /** "connect" passes proxies that speak HTTP/1.1 only. "grpc" in Node; browsers have "connect" alone. */
  protocol?: 'grpc' | 'connect';
  /** Checks and counts events as ever, and sends nothing. */
  disabled?: boolean;
  /** Told of what was given up, refused by a full queue, rejected after track(), or discarded by close(). */
  onError?: (error: SendFailed | QueueFull | Rejected, events: readonly CompletedEvent[]) => void;
  /** Takes a line at most every 10 s that tells what was lost or rejected; null for none. console.warn. */
  logger?: WarningLog | null | false;
  /** Keeps what could not be sent, for the next client that opens it: a folder in Node, a name in browsers. None. */
  store?: string;
  /** Most bytes in the store, 64 KiB to 1 GiB. 16 MiB. */
  storeBytes?: number;
}

/** The options with their defaults. */
export type Settings = Required<Pick<ClickmeshOptions, NumberName>> &
  Omit<ClickmeshOptions, NumberName> & { onFull: 'wait' | 'reject' };

type NumberName = keyof typeof NUMBERS;

const DAY_MS = 86_400_000;
const MIB = 1 << 20;

const NUMBERS = {
  timeoutMs: { min: 1, max: DAY_MS, by: 30_000, isWhole: false },
  attemptTimeoutMs: { min: 1, max: DAY_MS, by: 10_000, isWhole: false },
  batchSize: { min: 1, max: 1000, by: 500, isWhole: true },
  batchDelayMs: { min: 0, max: 60_000, by: 50, isWhole: false },
  maxQueueEvents: { min: 1, max: 10_000_000, by: 10_000, isWhole: true },
  maxQueueBytes: { min: MIB, max: 16 * 1024 * MIB, by: 64 * MIB, isWhole: true },
  storeBytes: { min: 64 * 1024, max: 1024 * MIB, by: 16 * MIB, isWhole: true },
};

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  onFull: ['wait', 'reject'],
  protocol: ['grpc', 'connect'],
};

const OTHERS: Readonly<Record<string, readonly [must: string, isRight: (value: unknown) => boolean]>> = {
  headers: ['an object of texts, or a function that gives one', isHeaders],
  key: ['the text of a header, of visible ASCII', isHeaderText],
  disabled: ['true or false', (value) => typeof value === 'boolean'],
  onError: ['a function', (value) => typeof value === 'function'],
  logger: ['a function, a logger with warn(), or null', isLogger],
  store: ['the path of a folder, or in browsers a name', (value) => typeof value === 'string' && value !== ''],
};

/** Returns the options with their defaults. Throws a TypeError that names the option, its range and what was given. */
export function settingsOf(options: ClickmeshOptions): Settings {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`options must be an object: ${shown(options)}`);
  const settings: Record<string, unknown> = { onFull: 'wait' };
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const wanted = wantedOf(name, value);
    if (wanted !== undefined) throw new TypeError(`${name} must be ${wanted}: it is ${shown(value)}`);
    settings[name] = value;
  }
  for (const [name, { by }] of Object.entries(NUMBERS)) settings[name] ??= by;
  return settings as Settings;
}

/** What an option must be, if it isn't. */
function wantedOf(name: string, value: unknown): string | undefined {
  if (Object.hasOwn(NUMBERS, name)) {
    const { min, max, isWhole } = NUMBERS[name as NumberName];
    const isRight = typeof value === 'number' && value >= min && value <= max && (!isWhole || Number.isInteger(value));
    return isRight ? undefined : `a ${isWhole ? 'whole ' : ''}number from ${digits(min)} to ${digits(max)}`;
  }
  if (Object.hasOwn(CHOICES, name)) {
    const values = CHOICES[name]!;
    return values.includes(value as string) ? undefined : values.map((one) => `"${one}"`).join(' or ');
  }
  if (!Object.hasOwn(OTHERS, name)) {
    const known = [...Object.keys(NUMBERS), ...Object.keys(CHOICES), ...Object.keys(OTHERS)];
    throw new TypeError(`${name} is no option: there are ${known.join(', ')}`);
  }
  const [must, isRight] = OTHERS[name]!;
  return isRight(value) ? undefined : must;
}

function digits(number: number): string {
  return number.toLocaleString('en');
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

function isHeaders(value: unknown): boolean {
  if (typeof value === 'function') return true;
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).every(([name, text]) => /^[!#$%&'*+.^`|~\w-]+$/.test(name) && isHeaderText(text));
}

function isHeaderText(value: unknown): boolean {
  return typeof value === 'string' && /^[\x20-\x7e]+$/.test(value);
}

function isLogger(value: unknown): boolean {
  return (
    value === null ||
    value === false ||
    typeof value === 'function' ||
    typeof (value as { warn?: unknown }).warn === 'function'
  );
}

/** Returns the address without a slash at its end. Throws a TypeError that says what to write instead. */
export function addressOf(url: string): string {
  if (typeof url !== 'string') throw new TypeError(`the address must be text: it is ${shown(url)}`);
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) throw new TypeError(`"${url}" has no scheme: http://${url}`);
  if (!/^https?:\/\//i.test(url)) throw new TypeError(`"${url}" must begin with http:// or https://`);
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new TypeError(`"${url}" is no address such as http://localhost:8080`);
  }
  if (parsed.search !== '' || parsed.hash !== '')
    throw new TypeError(`"${url}" must end with its path, without ? and #`);
  return parsed.href.replace(/\/+$/, '');
}

/** The headers of a request, with the key. */
export async function headersOf({
  headers,
  key,
}: Pick<ClickmeshOptions, 'headers' | 'key'>): Promise<Record<string, string>> {
  const own = typeof headers === 'function' ? await headers() : headers;
  return key === undefined ? { ...own } : { authorization: `Bearer ${key}`, ...own };
}
