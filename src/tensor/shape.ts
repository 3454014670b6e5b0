/**
 * Arithmetic of shapes and strides. Sizes and strides count elements. Everything here is pure and checks for overflow,
 * since shapes also come from peers.
 *
 * @module
 */

/** More dimensions than anybody needs; the bound keeps hostile headers short. */
export const MAX_RANK = 32;

/**
 * How many elements a shape has.
 *
 * @param shape Sizes of the dimensions.
 * @returns Their product; 1 for no dimensions.
 * @throws {RangeError} If a size is no integer of zero or more, there are too many, or the product is not exact.
 */
export function elementCount(shape: readonly number[]): number {
  if (shape.length > MAX_RANK) {
    throw new RangeError(`Cannot use a shape as it may have ${MAX_RANK} dimensions: ${shape.length}`);
  }
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new RangeError(`Cannot use a shape as its sizes must be integers of 0 or more: ${size}`);
    }
    // A size of 0 must not hide an overflow of the others: strides are products too.
    count *= Math.max(size, 1);
    if (!Number.isSafeInteger(count)) throw new RangeError(`Cannot use shape [${shape}] as it is too large`);
  }
  return shape.includes(0) ? 0 : count;
}

/**
 * Strides of a shape whose elements lie one after the other, the last dimension closest.
 *
 * @param shape Sizes of the dimensions.
 * @returns A stride for each.
 */
export function contiguousStrides(shape: readonly number[]): readonly number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= Math.max(shape[axis] ?? 1, 1);
  }
  return Object.freeze(strides);
}

/**
 * Whether the elements lie one after the other in the order of the shape.
 *
 * @param shape Sizes of the dimensions.
 * @param strides A stride for each.
 * @returns The claim.
 */
export function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 0;
    if (size === 0) return true;
    if (size !== 1 && strides[axis] !== expected) return false;
    expected *= size;
  }
  return true;
}

/**
 * How many elements lie between the first and the last, both counted. Strides are 0 or more.
 *
 * @param shape Sizes of the dimensions.
 * @param strides A stride for each.
 * @returns The span; 0 if there are no elements.
 * @throws {RangeError} If it is not exact.
 */
export function elementSpan(shape: readonly number[], strides: readonly number[]): number {
  let last = 0;
  for (const [axis, size] of shape.entries()) {
    if (size === 0) return 0;
    last += (size - 1) * (strides[axis] ?? 0);
  }
  if (!Number.isSafeInteger(last)) {
    throw new RangeError(`Cannot use strides [${strides}] as they reach too far`);
  }
  return last + 1;
}

/**
 * Whether two indices can name the same element. Exact for every view that slicing and transposing can make.
 *
 * @param shape Sizes of the dimensions.
 * @param strides A stride for each, 0 or more.
 * @returns The claim.
 */
export function hasOverlap(shape: readonly number[], strides: readonly number[]): boolean {
  const axes = shape.map((size, axis) => ({ size, stride: strides[axis] ?? 0 })).filter(({ size }) =>
    size > 1
  );
  axes.sort((a, b) => a.stride - b.stride);
  let reach = 0;
  for (const { size, stride } of axes) {
    if (stride <= reach) return true;
    reach += (size - 1) * stride;
  }
  return false;
}

/** Text for messages. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}
