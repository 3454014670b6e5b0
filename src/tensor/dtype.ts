/**
 * Element types: their size, their arrays, their numbers on the wire.
 *
 * @module
 */

import type { Dtype, TensorArray } from "./types.ts";

/** Makes an array over a part of a buffer. */
export type ArrayMaker = {
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): TensorArray;
  readonly BYTES_PER_ELEMENT: number;
  readonly name: string;
};

/** What is known about an element type. */
export interface DtypeFacts {
  /** Its name. */
  readonly dtype: Dtype;
  /** Its number on the wire. */
  readonly code: number;
  /** Bytes of an element. */
  readonly bytes: number;
  /** The array that shows the elements. */
  readonly Array: ArrayMaker;
}

/** In the order of their numbers on the wire. New ones go to the end. */
const ALL: readonly DtypeFacts[] = ([
  ["float16", Float16Array],
  ["bfloat16", Uint16Array],
  ["float32", Float32Array],
  ["float64", Float64Array],
  ["int8", Int8Array],
  ["int16", Int16Array],
  ["int32", Int32Array],
  ["int64", BigInt64Array],
  ["uint8", Uint8Array],
  ["uint16", Uint16Array],
  ["uint32", Uint32Array],
  ["uint64", BigUint64Array],
  ["bool", Uint8Array],
] as readonly (readonly [Dtype, ArrayMaker])[]).map(([dtype, Array], code) => ({
  dtype,
  code,
  bytes: Array.BYTES_PER_ELEMENT,
  Array,
}));

const BY_NAME: ReadonlyMap<string, DtypeFacts> = new Map(ALL.map((facts) => [facts.dtype, facts]));

/** Every element type. */
export const DTYPES: readonly Dtype[] = ALL.map(({ dtype }) => dtype);

/**
 * What is known about an element type.
 *
 * @param dtype Its name.
 * @returns The facts.
 * @throws {TypeError} If there is no such type.
 */
export function dtypeFacts(dtype: Dtype): DtypeFacts {
  const facts = BY_NAME.get(dtype);
  if (facts !== undefined) return facts;
  throw new TypeError(
    `Cannot make a tensor as its dtype must be one of ${DTYPES.join(", ")}: "${String(dtype)}"`,
  );
}

/**
 * The element type with a number on the wire.
 *
 * @param code What the peer sent.
 * @returns The facts, or undefined.
 */
export function dtypeByCode(code: unknown): DtypeFacts | undefined {
  return typeof code === "number" ? ALL[code] : undefined;
}

/** Arrays whose elements have an obvious type. */
const BY_ARRAY: ReadonlyMap<string, Dtype> = new Map<string, Dtype>([
  ["Uint8ClampedArray", "uint8"],
  ...ALL.filter(({ dtype }) => dtype !== "bfloat16" && dtype !== "bool")
    .map(({ Array, dtype }): [string, Dtype] => [Array.name, dtype]),
]);

/**
 * The element type of a typed array.
 *
 * @param array The array.
 * @returns Its dtype.
 */
export function dtypeOf(array: TensorArray): Dtype {
  const name = array[Symbol.toStringTag];
  const dtype = BY_ARRAY.get(name);
  if (dtype === undefined) throw new TypeError(`Cannot make a tensor of a "${name}" as it has no dtype`);
  return dtype;
}
