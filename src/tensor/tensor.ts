/**
 * Arrays of several dimensions whose bytes can be shared between processes.
 *
 * @module
 */

import { DisposedError } from "../errors.ts";
import { copyElements } from "./copy_elements.ts";
import { type DtypeFacts, dtypeFacts, dtypeOf } from "./dtype.ts";
import { contiguousStrides, elementCount, elementSpan, isContiguous, shapeText } from "./shape.ts";
import { Storage } from "./storage.ts";
import type { Device, Dtype, DtypeArray, TensorArray } from "./types.ts";

/** What a tensor is made of; for the modules that make tensors. */
export interface TensorParts<D extends Dtype = Dtype> {
  /** The bytes. The tensor takes over one reference. */
  readonly storage: Storage;
  /** Element type. */
  readonly dtype: D;
  /** Sizes of the dimensions, in elements. */
  readonly shape: readonly number[];
  /** Distance between neighbours in each dimension, in elements. @default contiguous */
  readonly strides?: readonly number[];
  /** Where the first element starts in the storage. @default 0 */
  readonly byteOffset?: number;
}

/** Options of `Tensor.from()`. */
export interface FromOptions {
  /** Element type. @default that of the array */
  readonly dtype?: Dtype;
  /** Sizes of the dimensions. @default one dimension */
  readonly shape?: readonly number[];
}

/** Part of a dimension: one index, or the indices from `start` to before `end`. */
export type Slice = number | null | readonly [start: number, end?: number];

/**
 * An array of several dimensions. Views (`slice`, `reshape`, `transpose`) show the same bytes. Whoever made a tensor
 * disposes it; its bytes go when the last view is disposed or collected. Passing it to a plugin or back lends it: both
 * sides see the same bytes, unless it is small, read-only, moved or copied.
 *
 * @typeParam D Its element type, where that is known: then `data` has the type of its array.
 *
 * @example
 * ```ts
 * import { Tensor } from "@cordon/cordon";
 *
 * using matrix = Tensor.from(new Float32Array([1, 2, 3, 4, 5, 6]), { shape: [2, 3] });
 * using column = matrix.slice(null, 1);
 * console.assert(column.toTyped()[1] === 5);
 * ```
 */
export class Tensor<D extends Dtype = Dtype> implements Disposable {
  /** Element type. */
  readonly dtype: D;
  /** Sizes of the dimensions, in elements. */
  readonly shape: readonly number[];
  /** Distance between neighbours in each dimension, in elements. */
  readonly strides: readonly number[];
  /** Where the first element starts, in bytes from the start of the memory that views share. */
  readonly byteOffset: number;
  /** Number of elements. */
  readonly size: number;
  /** Where the bytes are. */
  readonly device: Device = "cpu";
  readonly #facts: DtypeFacts;
  readonly #storage: Storage;
  #data: DtypeArray<D> | null = null;
  #isDisposed = false;

  /**
   * Tensors are made by `Tensor.from()`, `host.tensor()` and `tensor()`.
   *
   * @param parts What it is made of.
   */
  constructor(parts: TensorParts<D>) {
    this.#facts = dtypeFacts(parts.dtype);
    this.#storage = parts.storage;
    this.dtype = parts.dtype;
    this.shape = Object.freeze([...parts.shape]);
    this.strides = parts.strides === undefined
      ? contiguousStrides(parts.shape)
      : Object.freeze([...parts.strides]);
    this.byteOffset = parts.byteOffset ?? 0;
    this.size = elementCount(this.shape);
  }

  /**
   * A tensor in private memory with the elements of an array. It is copied when it is sent.
   *
   * @param array A typed array, also over a SharedArrayBuffer, or numbers.
   * @param options Element type and shape.
   * @returns The tensor; the caller disposes it.
   * @throws {RangeError} If the shape does not have as many elements as the array.
   * @throws {TypeError} If there is no such dtype, or numbers and bigints do not fit together.
   */
  static from(array: TensorArray | readonly number[] | readonly bigint[], options: FromOptions = {}): Tensor {
    const dtype = options.dtype ?? (ArrayBuffer.isView(array) ? dtypeOf(array) : "float32");
    const shape = options.shape ?? [array.length];
    const facts = dtypeFacts(dtype);
    const count = elementCount(shape);
    if (count !== array.length) {
      throw new RangeError(
        `Cannot make shape ${shapeText(shape)} of ${array.length} elements as it has ${count}`,
      );
    }
    const storage = Storage.local(count * facts.bytes);
    copyElements(array, storage.view(facts.Array, 0, count));
    return new Tensor({ storage, dtype, shape });
  }

  /** Length of the elements in bytes. */
  get byteLength(): number {
    return this.size * this.#facts.bytes;
  }

  /** It was disposed, moved or its peer is gone. */
  get isDisposed(): boolean {
    return this.#isDisposed || this.#storage.isReleased;
  }

  /** Writes are not seen by the other side. */
  get readOnly(): boolean {
    return this.#storage.isReadOnly;
  }

  /** The elements lie one after the other. */
  get isContiguous(): boolean {
    return isContiguous(this.shape, this.strides);
  }

  /**
   * The memory itself as a flat array, without copying.
   *
   * @returns The elements in order.
   * @throws {TypeError} If the elements do not lie one after the other; `toTyped()` copies them in order.
   * @throws {DisposedError} If the tensor was disposed.
   */
  get data(): DtypeArray<D> {
    const storage = this.#live();
    if (!this.isContiguous) {
      throw new TypeError(
        `Cannot show the elements as one array as they must be contiguous: strides ${
          shapeText(this.strides)
        }`,
      );
    }
    return this.#data ??= storage.view(this.#facts.Array, this.byteOffset, this.size) as DtypeArray<D>;
  }

  /**
   * The memory behind it; for the modules that send tensors.
   *
   * @internal
   */
  get storage(): Storage {
    return this.#live();
  }

  /**
   * A copy of the elements in order, in private memory.
   *
   * @returns A new typed array.
   * @throws {DisposedError} If the tensor was disposed.
   */
  toTyped(): DtypeArray<D> {
    const copy = new this.#facts.Array(new ArrayBuffer(this.byteLength));
    if (this.isContiguous) copyElements(this.data, copy);
    else this.#gather(copy);
    return copy as DtypeArray<D>;
  }

  /**
   * One element.
   *
   * @param indices One index for each dimension; negative ones count from the end.
   * @returns The element; a bigint for 64-bit integers.
   * @throws {RangeError} If an index is outside.
   */
  at(...indices: readonly number[]): DtypeArray<D>[number] {
    if (indices.length !== this.shape.length) {
      throw new RangeError(
        `Cannot read an element as it needs ${this.shape.length} indices: ${indices.length}`,
      );
    }
    let element = 0;
    for (const [axis, index] of indices.entries()) {
      element += this.#index(axis, index) * (this.strides[axis] ?? 0);
    }
    return this.#span()[element] as DtypeArray<D>[number];
  }

  /**
   * A view of a part. An index takes the dimension away, `[start, end]` shortens it, `null` keeps it.
   *
   * @param parts One for each dimension, from the first; missing ones are `null`. Negative numbers count from the end.
   * @returns A tensor that shows the same memory; the caller disposes it.
   * @throws {RangeError} If a part lies outside.
   */
  slice(...parts: readonly Slice[]): Tensor<D> {
    if (parts.length > this.shape.length) {
      throw new RangeError(`Cannot slice ${this.shape.length} dimensions by ${parts.length} parts`);
    }
    const shape: number[] = [];
    const strides: number[] = [];
    let element = 0;
    for (const [axis, size] of this.shape.entries()) {
      const part = parts[axis] ?? null;
      const stride = this.strides[axis] ?? 0;
      if (typeof part === "number") {
        element += this.#index(axis, part) * stride;
        continue;
      }
      const [start, end] = part === null ? [0, size] : sliceBounds(part, size);
      element += start * stride;
      shape.push(end - start);
      strides.push(stride);
    }
    // An empty view starts where its parent does, so that it lies within the memory.
    const offset = shape.includes(0) ? 0 : element * this.#facts.bytes;
    return this.#viewed(shape, strides, this.byteOffset + offset);
  }

  /**
   * A view of another shape.
   *
   * @param shape Sizes of the dimensions; one may be -1 and takes what is left.
   * @returns A tensor that shows the same memory; the caller disposes it.
   * @throws {TypeError} If the elements do not lie one after the other.
   * @throws {RangeError} If the number of elements differs.
   */
  reshape(...shape: readonly number[]): Tensor<D> {
    if (!this.isContiguous) {
      throw new TypeError(
        "Cannot reshape a view as its elements must be contiguous: use Tensor.from(view.toTyped())",
      );
    }
    const known = elementCount(shape.filter((size) => size !== -1));
    const full = shape.map((size) => size === -1 ? this.size / known : size);
    if (shape.filter((size) => size === -1).length > 1 || elementCount(full) !== this.size) {
      throw new RangeError(
        `Cannot reshape ${shapeText(this.shape)} to ${shapeText(shape)} as the sizes differ`,
      );
    }
    return this.#viewed(full, contiguousStrides(full), this.byteOffset);
  }

  /**
   * A view with its dimensions in another order.
   *
   * @param axes Every dimension once. @default all in reverse
   * @returns A tensor that shows the same memory; the caller disposes it.
   * @throws {RangeError} If the axes are not a permutation.
   */
  transpose(...axes: readonly number[]): Tensor<D> {
    const order = axes.length === 0 ? this.shape.map((_, axis) => this.shape.length - 1 - axis) : axes;
    const isPermutation = order.length === this.shape.length &&
      [...order].sort((a, b) => a - b).every((axis, index) => axis === index);
    if (!isPermutation) {
      throw new RangeError(
        `Cannot transpose ${this.shape.length} dimensions as ${shapeText(order)} must name each once`,
      );
    }
    return this.#viewed(
      order.map((axis) => this.shape[axis] ?? 0),
      order.map((axis) => this.strides[axis] ?? 0),
      this.byteOffset,
    );
  }

  /**
   * The same tensor, which receivers cannot change: their writes are theirs alone. It cannot be undone, and it must be
   * said before the tensor is lent to anybody.
   *
   * @returns This tensor.
   * @throws {TypeError} If a plugin made it or was lent it, and so could write to it.
   */
  freeze(): this {
    this.#live().setReadOnly();
    return this;
  }

  /**
   * Same dtype, shape and elements. NaN equals NaN; 0 equals -0.
   *
   * @param other The tensor to compare with.
   * @returns The claim.
   */
  equals(other: Tensor): boolean {
    if (this.dtype !== other.dtype || this.shape.length !== other.shape.length) return false;
    if (!this.shape.every((size, axis) => size === other.shape[axis])) return false;
    const ours = this.isContiguous ? this.data : this.toTyped();
    const theirs = other.isContiguous ? other.data : other.toTyped();
    for (let index = 0; index < ours.length; index++) {
      const a = ours[index];
      const b = theirs[index];
      if (a !== b && !(Number.isNaN(a) && Number.isNaN(b))) return false;
    }
    return true;
  }

  /** Let go of the memory. Views keep it until they are disposed too. Idempotent. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#data = null;
    this.#storage.release();
  }

  /**
   * The memory was given away, with this tensor's hold on it; for the modules that send tensors.
   *
   * @internal
   */
  surrender(): void {
    this.#isDisposed = true;
    this.#data = null;
  }

  /** As `dispose()`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #live(): Storage {
    if (this.isDisposed) throw new DisposedError("Cannot use a tensor as it was disposed");
    return this.#storage;
  }

  #viewed(shape: readonly number[], strides: readonly number[], byteOffset: number): Tensor<D> {
    const storage = this.#live().retain();
    return new Tensor({ storage, dtype: this.dtype, shape, strides, byteOffset });
  }

  /** The memory from the first element to the last, gaps and all. */
  #span(): TensorArray {
    return this.#live().view(this.#facts.Array, this.byteOffset, elementSpan(this.shape, this.strides));
  }

  #index(axis: number, index: number): number {
    const size = this.shape[axis] ?? 0;
    const wrapped = index < 0 ? index + size : index;
    if (Number.isInteger(wrapped) && wrapped >= 0 && wrapped < size) return wrapped;
    throw new RangeError(`Cannot use index ${index} as dimension ${axis} has ${size} elements`);
  }

  #gather(into: TensorArray): void {
    const from = this.#span() as { readonly [index: number]: number | bigint };
    const to = into as { [index: number]: number | bigint };
    const index = new Array<number>(this.shape.length).fill(0);
    let element = 0;
    for (let at = 0; at < this.size; at++) {
      to[at] = from[element] ?? 0;
      for (let axis = index.length - 1; axis >= 0; axis--) {
        const stride = this.strides[axis] ?? 0;
        const next = (index[axis] ?? 0) + 1;
        if (next < (this.shape[axis] ?? 0)) {
          index[axis] = next;
          element += stride;
          break;
        }
        index[axis] = 0;
        element -= (next - 1) * stride;
      }
    }
  }
}

function sliceBounds([from, to]: readonly [number, number?], size: number): [number, number] {
  const start = from < 0 ? from + size : from;
  const end = to === undefined ? size : to < 0 ? to + size : to;
  if (Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start <= end && end <= size) {
    return [start, end];
  }
  throw new RangeError(`Cannot slice [${from}, ${to ?? ""}] as the dimension has ${size} elements`);
}
