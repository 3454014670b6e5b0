/**
 * Where the bytes of something are that crosses: what the message itself says about it.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";

/** Blocks of an arena start at multiples of it: enough for every element type and for cache lines. */
export const BLOCK_ALIGNMENT = 64;

/** In the message; in the sender's arena; or in memory of its own, which the sender may have given away. */
export type Place =
  | { readonly kind: "inline"; readonly bytes: ArrayBuffer }
  | { readonly kind: "block"; readonly offset: number; readonly lease: number }
  | { readonly kind: "region"; readonly grant: number; readonly lease: number; readonly isGiven: boolean };

const INLINE = 0;
const BLOCK = 1;
const REGION = 2;

/**
 * A place as it stands in the message.
 *
 * @param place The place.
 * @returns Numbers and bytes only.
 */
export function writePlace(place: Place): readonly unknown[] {
  switch (place.kind) {
    case "inline":
      return [INLINE, place.bytes];
    case "block":
      return [BLOCK, place.offset, place.lease];
    case "region":
      return [REGION, place.grant, place.lease, place.isGiven ? 1 : 0];
  }
}

/**
 * A place that a peer sent.
 *
 * @param value What stood in the message.
 * @returns The place, its form checked; whether it lies within anything is for the receiver to check.
 * @throws {ProtocolError} If the form is wrong.
 */
export function readPlace(value: unknown): Place {
  if (!Array.isArray(value)) throw new ProtocolError("Cannot read where a tensor is as it must be a list");
  const [kind, first, second, third] = value as readonly unknown[];
  if (kind === INLINE && value.length === 2 && first instanceof ArrayBuffer) {
    return { kind: "inline", bytes: first };
  }
  if (kind === BLOCK && value.length === 3) {
    const offset = count(first);
    if (offset % BLOCK_ALIGNMENT !== 0) {
      throw new ProtocolError(`Cannot use a block as offset ${offset} is not aligned`);
    }
    return { kind: "block", offset, lease: count(second) };
  }
  if (kind === REGION && value.length === 4 && (third === 0 || third === 1)) {
    return { kind: "region", grant: count(first), lease: count(second), isGiven: third === 1 };
  }
  throw new ProtocolError(`Cannot read where a tensor is as its form is wrong: ${describe(kind)}`);
}

/**
 * A number of zero or more that a peer sent.
 *
 * @param value What stood in the message.
 * @returns The number.
 * @throws {ProtocolError} If it is something else.
 */
export function count(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new ProtocolError(
    `Cannot read a header as its numbers must be integers of 0 or more: ${describe(value)}`,
  );
}

/**
 * A value of a peer in a message, which must not run or print anything of it.
 *
 * @param value Decoded, hostile.
 * @returns The number or the beginning of the text, else the name of its type.
 */
export function describe(value: unknown): string {
  if (typeof value === "string") return value.slice(0, 100);
  return typeof value === "number" || typeof value === "bigint" ? String(value) : typeof value;
}
