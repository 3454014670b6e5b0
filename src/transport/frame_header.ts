/**
 * The head of a frame: the length of its payload, u32 little-endian.
 *
 * @module
 */

/** Bytes before a payload. */
export const HEADER_BYTES = 4;

/**
 * Read a head.
 *
 * @param buffer Where it lies; within bounds.
 * @param offset Its first byte.
 * @returns Length of the payload in bytes, hostile.
 */
export function frameLength(buffer: Uint8Array, offset: number): number {
  return (buffer[offset]! | buffer[offset + 1]! << 8 | buffer[offset + 2]! << 16 |
    buffer[offset + 3]! << 24) >>> 0;
}

/**
 * Write a head.
 *
 * @param buffer Where to; has room.
 * @param offset Its first byte.
 * @param length Of the payload, in bytes.
 */
export function writeFrameLength(buffer: Uint8Array, offset: number, length: number): void {
  buffer[offset] = length;
  buffer[offset + 1] = length >>> 8;
  buffer[offset + 2] = length >>> 16;
  buffer[offset + 3] = length >>> 24;
}
