/**
 * Finds the large binary in a frame that has only begun to arrive.
 *
 * @module
 */

import type { BodyPlace } from "../transport/mod.ts";

/** Smaller ones are not worth memory of their own before they are there. */
export const LARGE_BODY_BYTES: number = 64 * 1024;

/**
 * Where the first large binary or typed array of a frame lies. Walks over heads only: what is wrong with the frame
 * shows when it is read.
 *
 * @param beginning As much of the payload as is there, hostile.
 * @param length Of the whole payload.
 * @returns The place of its content; undefined if none has begun.
 *
 * @example
 * ```ts
 * import { findLargeBody } from "./large_body.ts";
 *
 * findLargeBody(new Uint8Array([0x92, 15, 0xc6, 0, 2, 0, 0, 1]), 131_079); // { at: 7, length: 131072 }
 * ```
 */
export function findLargeBody(beginning: Uint8Array, length: number): BodyPlace | undefined {
  for (let at = 0; at < beginning.length;) {
    const head = beginning[at]!;
    const width = lengthWidth(head);
    if (at + 1 + width > beginning.length) return undefined;
    const content = width === 0 ? fixedBytes(head) : contentBytes(beginning, at + 1, width, head);
    const isBytes = head >= 0xc4 && head <= 0xc9;
    const start = at + 1 + width + (head >= 0xc7 && head <= 0xc9 ? 1 : 0);
    if (isBytes && content >= LARGE_BODY_BYTES) {
      return start <= beginning.length && content <= length - start
        ? { at: start, length: content }
        : undefined;
    }
    at = start + content;
  }
  return undefined;
}

/** Bytes that tell a length or a count. */
function lengthWidth(head: number): number {
  switch (head) {
    case 0xc4:
    case 0xc7:
    case 0xd9:
      return 1;
    case 0xc5:
    case 0xc8:
    case 0xda:
    case 0xdc:
    case 0xde:
      return 2;
    case 0xc6:
    case 0xc9:
    case 0xdb:
    case 0xdd:
    case 0xdf:
      return 4;
    default:
      return 0;
  }
}

/** What follows a head without a length; what arrays and maps hold are values of their own. */
function fixedBytes(head: number): number {
  if (head >= 0xa0 && head < 0xc0) return head & 0x1f;
  if (head === 0xca) return 4;
  if (head === 0xcb) return 8;
  if (head >= 0xcc && head <= 0xd3) return 1 << (head & 3);
  if (head >= 0xd4 && head <= 0xd8) return 1 + (1 << (head - 0xd4));
  return 0;
}

function contentBytes(bytes: Uint8Array, at: number, width: number, head: number): number {
  if (head >= 0xdc) return 0;
  let value = 0;
  for (let index = 0; index < width; index++) value = value * 256 + bytes[at + index]!;
  return value;
}
