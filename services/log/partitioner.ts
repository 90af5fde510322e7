const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/** The murmur2 hash of Kafka's Java client, as a signed 32-bit integer. */
export function murmur2(data: Uint8Array): number {
  const tail = data.length & ~3;
  let hash = SEED ^ data.length;
  for (let i = 0; i < tail; i += 4) {
    let word = data[i]! | (data[i + 1]! << 8) | (data[i + 2]! << 16) | (data[i + 3]! << 24);
    word = Math.imul(word, M);
    word = Math.imul(word ^ (word >>> 24), M);
    hash = Math.imul(hash, M) ^ word;
  }
  const left = data.length - tail;
  if (left === 3) hash ^= data[tail + 2]! << 16;
  if (left >= 2) hash ^= data[tail + 1]! << 8;
  if (left >= 1) hash = Math.imul(hash ^ data[tail]!, M);
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return hash ^ (hash >>> 15);
}

/** The partition that Kafka's default partitioner gives a key; a Uint8Array is the key's UTF-8. */
export function partitionOf(key: string | Uint8Array, partitions: number): number {
  const bytes = typeof key === 'string' ? Buffer.from(key) : key;
  return (murmur2(bytes) & 0x7fffffff) % partitions;
}
