/**
 * Tensors of onnxruntime (`onnxruntime-node`, `onnxruntime-web`), by their form: this imports neither.
 *
 * @module
 */

import { bytesOf } from "../copy_elements.ts";
import { dtypeFacts } from "../dtype.ts";
import { elementCount } from "../shape.ts";
import { Storage } from "../storage.ts";
import { Tensor } from "../tensor.ts";
import type { Dtype, TensorArray } from "../types.ts";

/** The part of an onnxruntime tensor that is needed. Strings are not supported. */
export interface OrtTensor {
  /** Element type. */
  readonly type: string;
  /** Sizes of the dimensions. */
  readonly dims: readonly number[];
  /** The elements in order. */
  readonly data: unknown;
}

/** Class of onnxruntime's tensors. */
export type OrtTensorClass<T> = new (type: never, data: never, dims: readonly number[]) => T;

/** Types of onnxruntime that are tensors here under the same name. */
const SAME: readonly string[] = [
  "float16",
  "float32",
  "float64",
  "int8",
  "int16",
  "int32",
  "int64",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
  "bool",
];

/**
 * A tensor that shows the memory of an onnxruntime tensor.
 *
 * @param tensor The onnxruntime tensor; its memory must stay as it is.
 * @returns The tensor; the caller disposes it.
 * @throws {TypeError} If its type is not supported or its elements are not in this process' memory.
 * @throws {RangeError} If its shape and its elements do not fit.
 *
 * @example
 * ```ts
 * import { fromOrt } from "../mod.ts";
 *
 * const output = { type: "float32", dims: [1, 2], data: new Float32Array([0.25, 0.75]) }; // of session.run()
 * using tensor = fromOrt(output);
 * console.assert(tensor.at(0, 1) === 0.75);
 * ```
 */
export function fromOrt(tensor: OrtTensor): Tensor {
  const { type, dims, data } = tensor;
  if (!SAME.includes(type)) {
    throw new TypeError(`Cannot use an onnxruntime tensor as its type is not supported: "${type}"`);
  }
  if (!ArrayBuffer.isView(data)) {
    throw new TypeError("Cannot use an onnxruntime tensor as its elements must be an array");
  }
  const dtype = type as Dtype;
  const bytes = elementCount(dims) * dtypeFacts(dtype).bytes;
  if (bytes !== data.byteLength) {
    throw new RangeError(`Cannot use an onnxruntime tensor of ${bytes} bytes as it has ${data.byteLength}`);
  }
  const buffer = bytesOf(data).buffer as ArrayBuffer;
  return new Tensor({
    storage: new Storage({ buffer, byteOffset: data.byteOffset, bytes }),
    dtype,
    shape: dims,
  });
}

/**
 * An onnxruntime tensor that shows the memory of a tensor, or a copy if its elements do not lie in order.
 *
 * @param tensor The tensor; it must not be disposed while the result is in use.
 * @param ort Class of onnxruntime's tensors: `ort.Tensor`.
 * @returns The onnxruntime tensor.
 * @throws {TypeError} If onnxruntime has no such type.
 *
 * @example
 * ```ts
 * import { Tensor, toOrt } from "../mod.ts";
 *
 * class OrtTensor { // stands for ort.Tensor here
 *   constructor(readonly type: string, readonly data: Float32Array, readonly dims: readonly number[]) {}
 * }
 * using tensor = Tensor.from([1, 2], { dtype: "float32" });
 * console.assert(toOrt(tensor, OrtTensor).dims[0] === 2);
 * ```
 */
export function toOrt<T>(tensor: Tensor, ort: OrtTensorClass<T>): T {
  const { dtype, shape } = tensor;
  if (!SAME.includes(dtype)) {
    throw new TypeError(`Cannot make an onnxruntime tensor as it has no dtype "${dtype}"`);
  }
  const data: TensorArray = tensor.isContiguous ? tensor.data : tensor.toTyped();
  return new ort(dtype as never, data as never, [...shape]);
}
