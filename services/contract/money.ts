/**
 * Money is counted in micros: integers of a millionth of a currency unit, whose sums do not depend on the order of
 * their parts. A value in currency units becomes micros here, and nowhere else.
 */

/** Micros of a value in [0, 1e21), rounded to nearest, the middle up: toFixed rounds the exact double. */
export function exactMicros(value: number): bigint {
  return BigInt(value.toFixed(6).replace('.', ''));
}

/** A product of doubles differs from the exact one by less than this part of itself. */
const PRODUCT_ERROR = 2 ** -51;

/**
 * The micros that `exactMicros` gives, faster, of a value that is not negative. Declines with -1 where the product is
 * so near to the middle of two integers that its rounding may have crossed it, as it is for every value above 2^50
 * micros; about one in 2^51 / micros of the others is.
 */
export function fastMicros(value: number): number {
  const product = value * 1e6;
  const down = Math.floor(product);
  const beyondMiddle = product - down - 0.5;
  if (Math.abs(beyondMiddle) > product * PRODUCT_ERROR) return beyondMiddle > 0 ? down + 1 : down;
  return -1;
}
