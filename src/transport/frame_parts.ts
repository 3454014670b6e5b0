/**
 * A payload and its bodies, put together.
 *
 * @module
 */

import type { FrameBody } from "./types.ts";

/**
 * How long a payload is with its bodies in it.
 *
 * @param payload Without bodies.
 * @param bodies In the order of their places.
 * @returns Bytes.
 */
export function payloadLength(payload: Uint8Array, bodies: readonly FrameBody[] | undefined): number {
  let length = payload.length;
  if (bodies !== undefined) { for (const body of bodies) length += body.bytes.length; }
  return length;
}

/**
 * Copy a payload with its bodies in it.
 *
 * @param target Written to; must have room.
 * @param start Where in the target.
 * @param payload Without bodies.
 * @param bodies In the order of their places.
 */
export function copyPayload(
  target: Uint8Array,
  start: number,
  payload: Uint8Array,
  bodies: readonly FrameBody[] = [],
): void {
  let at = start;
  let from = 0;
  for (const { at: place, bytes } of bodies) {
    target.set(payload.subarray(from, place), at);
    at += place - from;
    target.set(bytes, at);
    at += bytes.length;
    from = place;
  }
  target.set(from === 0 ? payload : payload.subarray(from), at);
}
