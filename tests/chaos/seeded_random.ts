/**
 * Random numbers that come again with the same seed.
 *
 * @param seed Any whole number.
 * @returns A function that gives the next number in [0, 1): xorshift with 32 bits.
 */
export function seededRandom(seed: number): () => number {
  let state = (seed >>> 0) || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}
