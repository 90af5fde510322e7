import { z } from 'zod';
import { type AttributionEnvironment, attributionConfig, parseAttributionEnvironment } from '../attribution/config.ts';
import { HOUR_MS } from '../shared/limits.ts';

const environment = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  HOST: z.string().default('127.0.0.1'),
  /** Everything durable is in here. */
  DATA_DIR: z.string().min(1).default('./data'),
  /** Fixed when the data folder is first used. */
  PARTITIONS: z.coerce.number().int().min(1).max(1024).default(8),
  /** How long the log keeps records; ClickHouse keeps its rows regardless. */
  LOG_RETENTION_HOURS: z.coerce
    .number()
    .positive()
    .default(7 * 24),
  /** Most the log keeps: each partition of each topic an equal share. */
  LOG_RETENTION_GB: z.coerce.number().positive().default(50),
  /** A ClickHouse server to use; the embedded one when empty. */
  CLICKHOUSE_URL: z.string().default(''),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('warn'),
});

export interface MeshConfig extends z.infer<typeof environment> {
  attribution: AttributionEnvironment;
}

/** Reads the environment. Throws one Error that names every setting that is wrong. */
export function parseMeshConfig(env: NodeJS.ProcessEnv): MeshConfig {
  const problems: string[] = [];
  const mesh = collect(() => environment.parse(env), problems);
  const attribution = collect(() => parseAttributionEnvironment(env), problems);
  if (mesh !== undefined && attribution !== undefined) {
    const hours = attributionConfig(attribution).touchRetentionMs / HOUR_MS;
    if (mesh.LOG_RETENTION_HOURS >= hours) return { ...mesh, attribution };
    // A lost state is folded again from the log: it must reach as far back as a click can be credited.
    problems.push(`LOG_RETENTION_HOURS: must be at least the longest lookback and the allowed lateness, ${hours}`);
  }
  throw new Error(`invalid settings: ${problems.join('; ')}`);
}

function collect<T>(parse: () => T, problems: string[]): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    problems.push(...error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
  }
}
