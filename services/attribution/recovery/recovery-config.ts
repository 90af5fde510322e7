import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { GIVEN_NUMBER } from '../../system/given-number.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import { directoryCheckpointStore } from './directory-checkpoint-store.ts';
import { s3CheckpointStore } from './s3-checkpoint-store.ts';

/** Settings for the loss of a partition's store, by the names of their environment variables. */
export const RECOVERY = {
  /** Storage of checkpoints, as file:///directory or s3://bucket/prefix; none are taken if empty. */
  CHECKPOINT_URL: z
    .union([z.literal(''), z.url({ protocol: /^(file|s3)$/ })], {
      error: 'must be file:///directory or s3://bucket/prefix',
    })
    .default(''),
  /** Time between two checkpoints of a partition, in seconds. */
  CHECKPOINT_INTERVAL_S: z.coerce.number().positive().default(300),
  /** Endpoint of an S3-compatible store other than Amazon's. */
  S3_ENDPOINT: z.url({ protocol: /^https?$/, error: 'must be http://host:port' }).optional(),
  /** Without these, credentials come from where Amazon's tools look: profiles, roles of pods and machines. */
  AWS_ACCESS_KEY_ID: z.string().optional(),
  AWS_SECRET_ACCESS_KEY: z.string().optional(),
  AWS_SESSION_TOKEN: z.string().optional(),
  /** Number of other nodes that keep the state of each partition warm. */
  STANDBYS: GIVEN_NUMBER.pipe(z.coerce.number<string>().int().min(0).max(16)).default(0),
};

type RecoverySettings = z.infer<z.ZodObject<typeof RECOVERY>>;

/** The store that the settings name; undefined if they name none. */
export function checkpointStore(settings: Omit<RecoverySettings, 'STANDBYS'>): CheckpointStore | undefined {
  const { CHECKPOINT_URL, S3_ENDPOINT: endpoint } = settings;
  if (CHECKPOINT_URL === '') return undefined;
  const url = new URL(CHECKPOINT_URL);
  if (url.protocol === 'file:') return directoryCheckpointStore(fileURLToPath(url));
  const prefix = url.pathname.replace(/^\/|\/$/g, '');
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = settings;
  const { AWS_SESSION_TOKEN: sessionToken } = settings;
  return s3CheckpointStore({
    bucket: url.host,
    prefix: prefix === '' ? '' : `${prefix}/`,
    endpoint,
    credentials: accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey, sessionToken } : undefined,
  });
}
