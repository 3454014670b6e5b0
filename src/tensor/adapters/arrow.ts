/**
 * Columns of Apache Arrow (`apache-arrow`), by their form: this does not import it.
 *
 * @module
 */

import { Tensor } from "../tensor.ts";
import { bytesOf } from "../copy_elements.ts";
import { dtypeFacts, dtypeOf } from "../dtype.ts";
import { Storage } from "../storage.ts";
import type { Dtype, TensorArray } from "../types.ts";

/** The part of an Arrow `Data` (a chunk of a `Vector`) that is needed. */
export interface ArrowData {
  /** Number of elements. */
  readonly length: number;
  /** How many of them are null. */
  readonly nullCount: number;
  /** The elements, from this chunk's first on. */
  readonly values: unknown;
}

/**
 * A tensor of one dimension that shows the values of an Arrow column. Numbers of fixed size only: Arrow's booleans are
 * bits, and its texts have offsets.
 *
 * @param data One chunk: `vector.data[0]`.
 * @param dtype Element type, where the array does not say it: Arrow keeps float16 in a `Uint16Array`.
 * @returns The tensor; the caller disposes it.
 * @throws {TypeError} If there are nulls, or the values are no array of numbers.
 * @throws {RangeError} If there are fewer values than the length says.
 *
 * @example
 * ```ts
 * import { fromArrow } from "../mod.ts";
 *
 * const chunk = { length: 2, nullCount: 0, values: new Float32Array([1, 2]) }; // vector.data[0]
 * using column = fromArrow(chunk);
 * console.assert(column.at(1) === 2);
 * ```
 */
export function fromArrow(data: ArrowData, dtype?: Dtype): Tensor {
  const { length, nullCount, values } = data;
  if (nullCount > 0) {
    throw new TypeError(`Cannot make a tensor of an Arrow column as it must have no nulls: ${nullCount}`);
  }
  if (!ArrayBuffer.isView(values) || values instanceof DataView) {
    throw new TypeError("Cannot make a tensor of an Arrow column as its values must be numbers");
  }
  const element = dtype ?? dtypeOf(values as TensorArray);
  const bytes = length * dtypeFacts(element).bytes;
  if (!Number.isSafeInteger(length) || length < 0 || bytes > values.byteLength) {
    throw new RangeError(
      `Cannot make a tensor of ${length} Arrow values as there are ${values.byteLength} bytes`,
    );
  }
  const buffer = bytesOf(values).buffer as ArrayBuffer;
  const storage = new Storage({ buffer, byteOffset: values.byteOffset, bytes });
  return new Tensor({ storage, dtype: element, shape: [length] });
}

/**
 * What `makeData()` and `makeVector()` of apache-arrow take: the elements as one array, without copying if they lie in
 * order.
 *
 * @param tensor A tensor of one dimension; it must not be disposed while Arrow uses the array.
 * @returns The elements and how many there are.
 * @throws {TypeError} If the tensor has several dimensions.
 *
 * @example
 * ```ts
 * import { Tensor, toArrow } from "../mod.ts";
 *
 * using tensor = Tensor.from([1, 2, 3]);
 * console.assert(toArrow(tensor).length === 3); // for makeVector() of apache-arrow
 * ```
 */
export function toArrow(tensor: Tensor): { readonly data: TensorArray; readonly length: number } {
  if (tensor.shape.length !== 1) {
    throw new TypeError(`Cannot make an Arrow column of ${tensor.shape.length} dimensions as it has one`);
  }
  return { data: tensor.isContiguous ? tensor.data : tensor.toTyped(), length: tensor.size };
}
