/**
 * A plugin that encodes and decodes MessagePack with the standard library.
 *
 * @module
 */

import { decode, encode, type ValueType } from "@std/msgpack";

/** MessagePack bytes of a value. */
export function pack(value: ValueType): Uint8Array {
  return encode(value);
}

/** The value of MessagePack bytes. */
export function unpack(bytes: Uint8Array): ValueType {
  return decode(new Uint8Array(bytes));
}
