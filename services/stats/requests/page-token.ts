import { createHash } from 'node:crypto';
import { type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf';
import type { FieldError } from './field-error.ts';

/** Bytes of a request's digest: enough to tell a token of another request, which is a slip and no attack. */
const DIGEST_BYTES = 8;
/** Longest token that is read: positions are a few values of at most 128 bytes, escaped and in base64. */
const MAX_TOKEN_LENGTH = 4096;

interface Paged {
  pageToken: string;
}

/** The token of the page that begins after a position, which is what a row is sorted by, or a number of rows. */
export function pageTokenOf<Desc extends DescMessage>(
  schema: Desc,
  request: MessageShape<Desc> & Paged,
  position: readonly string[],
): string {
  const text = Buffer.from(JSON.stringify(position));
  return Buffer.concat([digestOf(schema, request), text]).toString('base64url');
}

/**
 * The position of a request's token; undefined if it asks for the first page. A token is good for the request that it
 * was the answer to, all fields but the token the same.
 *
 * @param length how many values a position has
 */
export function positionOf<Desc extends DescMessage>(
  schema: Desc,
  request: MessageShape<Desc> & Paged,
  length: number,
): readonly string[] | undefined | FieldError {
  if (request.pageToken === '') return undefined;
  const bytes = Buffer.from(request.pageToken.slice(0, MAX_TOKEN_LENGTH), 'base64url');
  const position = readPosition(bytes.subarray(DIGEST_BYTES).toString(), length);
  if (position === undefined || request.pageToken.length > MAX_TOKEN_LENGTH) return fault('is none that was given out');
  const isOfRequest = bytes.subarray(0, DIGEST_BYTES).equals(digestOf(schema, request));
  return isOfRequest ? position : fault('is of another request: all other fields must be as they were');
}

function readPosition(text: string, length: number): string[] | undefined {
  try {
    const values: unknown = JSON.parse(text);
    if (!Array.isArray(values) || values.length !== length) return undefined;
    return values.every((value) => typeof value === 'string') ? values : undefined;
  } catch {
    return undefined;
  }
}

function digestOf<Desc extends DescMessage>(schema: Desc, request: MessageShape<Desc>): Buffer {
  const bytes = toBinary(schema, { ...request, pageToken: '' });
  return createHash('sha256').update(schema.typeName).update('\0').update(bytes).digest().subarray(0, DIGEST_BYTES);
}

function fault(what: string): FieldError {
  return { field: 'page_token', message: `page_token ${what}. Leave it out for the first page` };
}
