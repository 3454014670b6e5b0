/**
 * Compares secrets.
 *
 * @module
 */

/**
 * Whether a shown token is the expected one, in a time that does not depend on where they differ.
 *
 * @param expected The secret.
 * @param shown What the peer sent.
 * @returns True if they are the same, and not empty.
 *
 * @example
 * ```ts
 * import { isSameToken } from "./token.ts";
 *
 * isSameToken("abc", "abc"); // true
 * ```
 */
export function isSameToken(expected: string, shown: unknown): boolean {
  if (typeof shown !== "string") return false;
  const encoder = new TextEncoder();
  const left = encoder.encode(expected);
  const right = encoder.encode(shown);
  let difference = left.length ^ right.length;
  for (let index = 0; index < left.length; index++) difference |= left[index]! ^ (right[index] ?? 0);
  return difference === 0 && left.length > 0;
}
