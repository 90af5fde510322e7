import zlib from 'node:zlib';
import { Code, ConnectError } from '@connectrpc/connect';
import { tooLarge } from './errors.ts';

/** Decodes bytes. Throws INVALID_ARGUMENT if they are not of the coding, or are more than `maxBytes` afterwards. */
export type Decode = (bytes: Buffer, maxBytes: number) => Buffer;

/** Largest window of zstd as a power of two: the 8 MiB that RFC 8878 asks decoders for. It could be up to 2 GiB. */
const ZSTD_WINDOW_LOG = 23;
const ZSTD_PARAMS = { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG };

type Inflate = (bytes: Buffer, options: { maxOutputLength: number }) => Buffer;

const gunzip = decoder('gzip', zlib.gunzipSync);
const DECODERS = new Map<string, Decode>([
  ['gzip', gunzip],
  ['br', decoder('br', zlib.brotliDecompressSync)],
  ['zstd', decoder('zstd', (bytes, options) => zlib.zstdDecompressSync(bytes, { ...options, params: ZSTD_PARAMS }))],
  ['deflate', decoder('deflate', inflate)],
]);

/** Names of the codings, but for other names of theirs. */
export const CODINGS: readonly string[] = [...DECODERS.keys()];

DECODERS.set('x-gzip', gunzip);
DECODERS.set('identity', (bytes) => bytes);
DECODERS.set('', (bytes) => bytes);

/**
 * What decodes a body or message with this coding, whose spelling may be any; undefined if the coding is unknown. It
 * works in this thread, chunk by chunk: a bomb costs no more than the limit, and many at a time no more than one.
 */
export function decoderOf(coding: string): Decode | undefined {
  return DECODERS.get(coding.trim().toLowerCase());
}

function decoder(name: string, inflateAll: Inflate): Decode {
  return (bytes, maxBytes) => {
    if (bytes.length === 0) return bytes;
    try {
      return inflateAll(bytes, { maxOutputLength: maxBytes });
    } catch (thrown) {
      const { code, message } = thrown as NodeJS.ErrnoException;
      if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes);
      throw new ConnectError(`what is said to be ${name} can't be decompressed: ${message}`, Code.InvalidArgument);
    }
  };
}

/** Takes deflate with the header of zlib, as RFC 9110 wants it, and without, as it is often sent. */
function inflate(bytes: Buffer, options: { maxOutputLength: number }): Buffer {
  const hasHeader = bytes.length > 1 && (bytes[0]! & 0x0f) === 8 && bytes.readUInt16BE(0) % 31 === 0;
  return hasHeader ? zlib.inflateSync(bytes, options) : zlib.inflateRawSync(bytes, options);
}
