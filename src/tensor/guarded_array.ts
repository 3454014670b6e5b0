/**
 * Ties the life of a guest's memory to the arrays that show it.
 *
 * After a guest has given up FFI it cannot make buffers any more: all its arrays lie in one buffer, over the window.
 * So the collector cannot tell from the buffer whether anybody still looks at a part, and the arrays must tell.
 *
 * @module
 */

import type { Storage } from "./storage.ts";
import type { TensorArray } from "./types.ts";

/**
 * Keep a storage as long as an array, or one that `subarray()` made of it, can be reached. Whoever asks for `buffer`
 * can make arrays that nobody knows of: then the storage is kept until it is released explicitly.
 *
 * @param array The array.
 * @param storage The storage that it shows.
 * @param pin Keeps the storage for good.
 * @returns The array.
 */
export function guardedArray<T extends TensorArray>(
  array: T,
  storage: Storage,
  pin: (storage: Storage) => void,
): T {
  const { buffer } = array;
  const subarray = array.subarray as (begin?: number, end?: number) => TensorArray;
  // The functions refer to the storage: that is what keeps it.
  return Object.defineProperties(array, {
    subarray: {
      configurable: true,
      value(this: T, begin?: number, end?: number): TensorArray {
        return guardedArray(subarray.call(this, begin, end), storage, pin);
      },
    },
    buffer: {
      configurable: true,
      get() {
        pin(storage);
        return buffer;
      },
    },
  });
}
