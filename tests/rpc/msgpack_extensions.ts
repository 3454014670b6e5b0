/**
 * PROTOCOL.md's extensions for another MessagePack implementation, as far as tests need them.
 *
 * @module
 */

import { decode, encode, ExtData } from "@msgpack/msgpack";
import type { ExtensionCodecType } from "@msgpack/msgpack";

const UNDEFINED = new ExtData(1, new Uint8Array([0]));
const NEGATIVE_ZERO = new ExtData(1, new Uint8Array([1]));

const extensions: ExtensionCodecType<undefined> = {
  tryToEncode: (object) => object instanceof ExtData ? object : null,
  decode(data, type) {
    if (type === 1) return data[0] === 0 ? undefined : -0;
    if (type === 4) return BigInt(`0x${new TextDecoder().decode(data)}`);
    return new ExtData(type, data.slice());
  },
};

/**
 * Encode with the npm package.
 *
 * @param value Plain values, `undefined` and `ExtData`.
 * @returns MessagePack.
 */
export function foreignEncode(value: unknown): Uint8Array {
  return encode(withConstants(value), { extensionCodec: extensions, maxDepth: 10_000 });
}

/**
 * Decode with the npm package.
 *
 * @param bytes MessagePack.
 * @returns Plain values, `undefined` and `ExtData`.
 */
export function foreignDecode(bytes: Uint8Array): unknown {
  return decode(bytes.slice(), { extensionCodec: extensions });
}

/** The package has no undefined, and would write −0 as 0. */
function withConstants(value: unknown): unknown {
  if (value === undefined) return UNDEFINED;
  if (Object.is(value, -0)) return NEGATIVE_ZERO;
  if (Array.isArray(value)) return value.map(withConstants);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    return value;
  }
  const entries = Object.entries(value).map(([key, item]) => [key, withConstants(item)]);
  return Object.fromEntries(entries);
}
