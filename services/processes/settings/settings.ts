import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { cut } from '../../contract/cut.ts';
import { GIVEN_NUMBER } from '../../system/given-number.ts';

/** Settings that several processes have, by the name of their environment variable. */
export const LISTEN = {
  PORT: GIVEN_NUMBER.pipe(z.coerce.number<string>().int().min(0).max(65_535)).default(8080),
  HOST: z.string().min(1).default('127.0.0.1'),
};
/** What a gateway takes events by. */
export const INTAKE = {
  /** Code of the one currency that the mesh counts in. */
  CURRENCY: z
    .string()
    .refine((code) => Intl.supportedValuesOf('currency').includes(code), 'must be a code of ISO 4217, such as USD')
    .default('USD'),
};
/** What /status tells, and the dashboard links to. */
export const LINKS = {
  /** Where people look at the traces that are collected, with {trace_id} for that of one; empty if not known. */
  TRACES_URL: z.url({ protocol: /^https?$/, error: 'must be http://… or https://…' }).default(''),
};
export const LOGGING = {
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('warn'),
};
export const RETENTION = {
  /** How long the log keeps records, in hours; ClickHouse keeps its rows regardless. */
  LOG_RETENTION_HOURS: z.coerce.number().positive().optional(),
  /** Most GB that the log keeps: each partition of each topic an equal share. */
  LOG_RETENTION_GB: z.coerce.number().positive().default(50),
};
export const KAFKA = {
  KAFKA_BROKERS: z
    .string({ error: 'is required, as host:port,host:port' })
    .regex(/^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$/, 'must be host:port,host:port'),
};
export const CLICKHOUSE = {
  /** URLs of every server, separated by commas: migrations go to all, queries to the first that answers. */
  CLICKHOUSE_URL: z
    .string({ error: 'is required, as http://host:port' })
    .transform((urls) => urls.split(','))
    .pipe(z.array(z.url({ protocol: /^https?$/, error: 'must be http://host:port' }))),
  CLICKHOUSE_USER: z.string().default('default'),
  CLICKHOUSE_PASSWORD: z.string().default(''),
};

/** Settings that may stand in a file instead, whose path is in the variable with _FILE behind its name. */
const SECRETS = ['CLICKHOUSE_PASSWORD', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'];

type Parsers<T> = { [K in keyof T]: (env: NodeJS.ProcessEnv) => T[K] };

/** A parser of the variables of a shape. */
export function settings<S extends z.ZodRawShape>(shape: S): (env: NodeJS.ProcessEnv) => z.infer<z.ZodObject<S>> {
  return (env) => z.object(shape).parse(env);
}

/** Reads the settings of a shape. Throws one Error that names all settings that are wrong. */
export function parseSettings<S extends z.ZodRawShape>(env: NodeJS.ProcessEnv, shape: S): z.infer<z.ZodObject<S>> {
  return parseAll(env, { own: settings(shape) }).own;
}

/** Applies every parser. Throws one Error that names all settings that are wrong. */
export function parseAll<T>(env: NodeJS.ProcessEnv, parsers: Parsers<T>): T {
  const problems: string[] = [];
  const parsed: Partial<T> = {};
  const whole = withSecrets(env, problems);
  for (const name in parsers) {
    try {
      parsed[name] = parsers[name](whole);
    } catch (error) {
      if (!(error instanceof z.ZodError)) throw error;
      problems.push(...error.issues.map((issue) => problemOf(issue, whole)));
    }
  }
  if (problems.length > 0) throw invalidSettings(problems);
  return parsed as T;
}

/** What may have a password in it is not repeated. */
const UNTOLD = /URL|ENDPOINT|PASSWORD|KEY|TOKEN|SECRET/;

/** What is wrong with a setting, and what it is; messages of our own say that where it helps. */
function problemOf(issue: z.core.$ZodIssue, env: NodeJS.ProcessEnv): string {
  const name = String(issue.path[0]);
  const value = env[name];
  const isNoNumber = issue.code === 'invalid_type' && issue.expected === 'number' && value !== undefined;
  const problem = `${issue.path.join('.')}: ${isNoNumber ? 'must be a number' : issue.message}`;
  const isTold = issue.code !== 'custom' && value !== undefined && !UNTOLD.test(name);
  return isTold ? `${problem}: it is ${JSON.stringify(cut(value))}` : problem;
}

export function invalidSettings(problems: readonly string[]): Error {
  // Parsers may share settings, and then report the same fault.
  return new Error(`invalid settings: ${[...new Set(problems)].join('; ')}`);
}

function withSecrets(env: NodeJS.ProcessEnv, problems: string[]): NodeJS.ProcessEnv {
  const whole = { ...env };
  for (const name of SECRETS) {
    const file = env[`${name}_FILE`];
    if (file === undefined) continue;
    if (env[name] !== undefined) problems.push(`${name}: is set twice, also by ${name}_FILE`);
    try {
      whole[name] = readFileSync(file, 'utf8').trimEnd();
    } catch (error) {
      problems.push(`${name}_FILE: ${(error as Error).message}`);
    }
  }
  return whole;
}
