/**
 * Copies elements between arrays.
 *
 * @module
 */

import type { TensorArray } from "./types.ts";

/**
 * Copy all elements, converting numbers as assignment does.
 *
 * @param from Where from.
 * @param to Where to, at least as long.
 * @throws {TypeError} If one has bigints and the other numbers.
 */
export function copyElements(
  from: TensorArray | readonly number[] | readonly bigint[],
  to: TensorArray,
): void {
  // The union of signatures cannot express "both numbers or both bigints"; the engine checks it.
  (to as { set(from: ArrayLike<unknown>): void }).set(from);
}

/**
 * The bytes of an array. A guest's arrays carry a `buffer` property that pins the memory; this does not touch it.
 *
 * @param array Any typed array.
 * @returns A view of its bytes.
 */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(
    bufferOf.call(array) as ArrayBuffer,
    array.byteOffset,
    array.byteLength,
  );
}

const bufferOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), "buffer")
  ?.get as () => ArrayBufferLike;
