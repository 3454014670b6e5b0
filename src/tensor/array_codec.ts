/**
 * Large typed arrays in messages: they are plain arrays on both sides, but their bytes go through shared memory.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import { bytesOf } from "./copy_elements.ts";
import type { ArrayMaker } from "./dtype.ts";
import { count, describe, readPlace, writePlace } from "./place.ts";
import type { TensorPort } from "./port.ts";
import type { TensorArray, ValueCodec, ValueContext } from "./types.ts";

/** Arrays of this size and more leave a message that has no room for them. */
const CROWDED_ARRAY_BYTES = 64 * 1024;

/** In the order of their numbers on the wire. New ones go to the end. */
const MAKERS: readonly ArrayMaker[] = [
  Uint8Array,
  Uint8ClampedArray,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  BigUint64Array,
  BigInt64Array,
  Float16Array,
  Float32Array,
  Float64Array,
];

const CODES: ReadonlyMap<string, number> = new Map(MAKERS.map(({ name }, code) => [name, code]));

/**
 * How large typed arrays cross. The receiver's array is its own: nobody else can change it.
 *
 * @param port Hands memory over.
 * @returns The codec.
 */
export function arrayCodec(port: TensorPort): ValueCodec<TensorArray> {
  return {
    test: (value, context): value is TensorArray =>
      ArrayBuffer.isView(value) && !(value instanceof DataView) &&
      (value.byteLength >= port.arrayBytes ||
        value.byteLength >= CROWDED_ARRAY_BYTES && value.byteLength > context.frameRoom),
    encode: (array, context) => [
      CODES.get(array[Symbol.toStringTag]),
      array.length,
      writePlace(port.snapshot(bytesOf(array), context)),
    ],
    decode: (payload, context) => decodeArray(port, payload, context),
  };
}

function decodeArray(port: TensorPort, payload: unknown, context: ValueContext): TensorArray {
  if (!Array.isArray(payload) || payload.length !== 3) {
    throw new ProtocolError("Cannot read the header of an array as it must be a list of 3");
  }
  const [code, rawLength, rawPlace] = payload as readonly unknown[];
  const maker = typeof code === "number" ? MAKERS[code] : undefined;
  if (maker === undefined) {
    throw new ProtocolError(`Cannot read the header of an array as type ${describe(code)} is unknown`);
  }
  const length = count(rawLength);
  const bytes = length * maker.BYTES_PER_ELEMENT;
  if (length === 0 || !Number.isSafeInteger(bytes)) {
    throw new ProtocolError(`Cannot read an array as its length is out of range: ${length}`);
  }
  return port.receive(readPlace(rawPlace), bytes, true, context).view(maker, 0, length);
}
