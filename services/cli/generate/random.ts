/** A stream of random numbers that is a function of its seed. */
export interface Random {
  /** In [0, 2^32), whole. */
  uint32(): number;
  /** In [0, 1), with 53 random bits. */
  unit(): number;
}

/**
 * xoshiro128** 1.1 by David Blackman and Sebastiano Vigna (https://prng.di.unimi.it/xoshiro128starstar.c, public
 * domain), its state filled by splitmix32 from the low 32 bits of the seed.
 */
export function createRandom(seed: number): Random {
  const state = new Uint32Array(4);
  for (let i = 0; i < 4; i++) {
    seed = (seed + 0x9e3779b9) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    state[i] = mixed ^ (mixed >>> 15);
  }
  function uint32(): number {
    const [a, b, c, d] = state as unknown as [number, number, number, number];
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    state[0] = a ^ d ^ b;
    state[1] = b ^ c ^ a;
    state[2] = c ^ a ^ (b << 9);
    state[3] = rotateLeft(d ^ b, 11);
    return result;
  }
  function unit(): number {
    return ((uint32() >>> 5) * 2 ** 26 + (uint32() >>> 6)) / 2 ** 53;
  }
  return { uint32, unit };
}

/** A UUID of version 4. */
export function randomUuid(random: Random): string {
  const hex = Array.from({ length: 4 }, () => random.uint32().toString(16).padStart(8, '0')).join('');
  const variant = '89ab'[Number.parseInt(hex[16]!, 16) & 3];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}

export function pick<T>(random: Random, values: readonly T[]): T {
  return values[random.uint32() % values.length]!;
}

/** A time after `start`, by an exponential delay; where that would be past the end, any time before it. All in ms. */
export function timeAfter(random: Random, start: number, meanDelayMs: number, end: number): number {
  const time = start - Math.log(1 - random.unit()) * meanDelayMs;
  return Math.floor(time < end ? time : start + random.unit() * (end - start));
}

/** Draws ranks in [1, ranks], in proportion to their weights. */
export function weightedDraw(random: Random, ranks: number, weight: (rank: number) => number): () => number {
  let total = 0;
  const cumulative = Float64Array.from({ length: ranks }, (_, i) => {
    total += weight(i + 1);
    return total;
  });
  return () => {
    const target = random.unit() * total;
    let low = 0;
    let high = cumulative.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (cumulative[middle]! > target) high = middle;
      else low = middle + 1;
    }
    return low + 1;
  };
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
