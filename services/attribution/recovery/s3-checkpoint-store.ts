import { readFile, writeFile } from 'node:fs/promises';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import type { CheckpointStore, StoredFile } from './checkpoint-store.ts';

export interface S3CheckpointStoreOptions {
  bucket: string;
  /** Prefix of every name; '' or ending with a slash. */
  prefix: string;
  /** Endpoint of an S3-compatible store other than Amazon's, as http://host:port; buckets are then paths of it. */
  endpoint?: string;
  /** Credentials; those that Amazon's tools would find if undefined. */
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
}

const MAX_ATTEMPTS = 3;
const CONNECT_TIMEOUT_MS = 3_000;
/** Longest that one attempt takes, in ms; files have some megabytes. */
const REQUEST_TIMEOUT_MS = 15_000;
/** Most names of one DeleteObjects call. */
const DELETE_BATCH = 1000;

/** Checkpoints in S3. The region is that of AWS_REGION; compatible stores mostly do not care. */
export function s3CheckpointStore(options: S3CheckpointStoreOptions): CheckpointStore {
  const { bucket: Bucket, prefix, endpoint, credentials } = options;
  const client = new S3Client({
    endpoint,
    credentials,
    forcePathStyle: endpoint !== undefined,
    region: process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION ?? 'us-east-1',
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
    // Checksums beyond what the protocol requires are not understood by every compatible store.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });

  /** Repeats downloads that break off after the answer has begun, which the client does not. */
  async function download(Key: string): Promise<Uint8Array> {
    for (let attempt = 1; ; attempt++) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      try {
        return await Body!.transformToByteArray();
      } catch (error) {
        if (attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }

  return {
    async put(name, path) {
      // A stream could not be sent again. RocksDB's files have some megabytes.
      const Body = await readFile(path);
      await client.send(new PutObjectCommand({ Bucket, Key: prefix + name, Body }));
    },
    async get(name, path) {
      try {
        await writeFile(path, await download(prefix + name));
        return true;
      } catch (error) {
        if (error instanceof NoSuchKey) return false;
        throw error;
      }
    },
    async list(namePrefix) {
      const files: StoredFile[] = [];
      for await (const page of paginateListObjectsV2({ client }, { Bucket, Prefix: prefix + namePrefix })) {
        for (const { Key, Size, LastModified } of page.Contents ?? []) {
          files.push({ name: Key!.slice(prefix.length), bytes: Size!, putAt: LastModified!.getTime() });
        }
      }
      return files;
    },
    async remove(names) {
      for (let at = 0; at < names.length; at += DELETE_BATCH) {
        const Objects = names.slice(at, at + DELETE_BATCH).map((name) => ({ Key: prefix + name }));
        await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
      }
    },
  };
}
