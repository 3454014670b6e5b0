/**
 * What the workers of a plugin reserve.
 *
 * @module
 */

/**
 * V8 reserves the code of each isolate in one piece, writable as it compiles at run time, so that RLIMIT_DATA counts all
 * of it: 512 MiB, and what belongs to it (measured with Deno 2.9: 521).
 */
const ADDRESS_SPACE_BYTES = 528 * 2 ** 20;

/**
 * Address space that workers take, whatever they do.
 *
 * @param limits How many there may be.
 * @returns Bytes.
 */
export function workerBytes({ workers }: { readonly workers: number }): number {
  return workers * ADDRESS_SPACE_BYTES;
}
