/**
 * Checks a frame before anything is allocated for it: whole, shallow, small, and with string keys only.
 *
 * @module
 */

import { LimitExceededError, ProtocolError } from "../errors.ts";
import { ExtensionType } from "./wire_types.ts";

/** What a scan may let through. */
export interface ScanLimits {
  /** Deepest nesting of arrays and maps. */
  readonly maxNesting: number;
  /** Most elements, keys and leaves together. */
  readonly maxValues: number;
}

/**
 * A scanner that reuses its stack. One frame at a time.
 *
 * @example
 * ```ts
 * import { FrameScanner } from "./frame_scan.ts";
 *
 * new FrameScanner({ maxNesting: 8, maxValues: 100 }).scan(new Uint8Array([0x91, 0x01])); // false: nothing to revive
 * ```
 */
export class FrameScanner {
  readonly #maxNesting: number;
  readonly #maxValues: number;
  /** Values still to come at each level. */
  readonly #left: Float64Array;
  /** 1 where the level is a map: its even counts are keys. */
  readonly #isMap: Uint8Array;

  /**
   * @param limits Bounds on one frame.
   */
  constructor(limits: ScanLimits) {
    this.#maxNesting = limits.maxNesting;
    this.#maxValues = limits.maxValues;
    this.#left = new Float64Array(limits.maxNesting + 1);
    this.#isMap = new Uint8Array(limits.maxNesting + 1);
  }

  /**
   * Walk over the headers of one MessagePack value that fills the frame.
   *
   * @param frame The whole payload of a frame.
   * @returns Whether it holds binaries or markers, which need a second look after decoding.
   * @throws {ProtocolError} If it is truncated, too long, has a key that is no string, or an unsafe integer.
   * @throws {LimitExceededError} If it is nested too deep or holds too many values.
   */
  scan(frame: Uint8Array): boolean {
    const end = frame.length;
    const left = this.#left;
    const isMap = this.#isMap;
    let position = 0;
    let depth = 0;
    let values = 0;
    let needsRevival = false;
    left[0] = 1;
    isMap[0] = 0;
    for (;;) {
      while (left[depth] === 0) {
        if (depth === 0) {
          if (position !== end) throw malformed(`${end - position} bytes follow the message`);
          return needsRevival;
        }
        depth--;
      }
      if (position >= end) throw malformed("it is truncated");
      const head = frame[position++]!;
      const isKey = isMap[depth] === 1 && left[depth]! % 2 === 0;
      left[depth]!--;
      if (++values > this.#maxValues) throw tooMany("maxValues", values, this.#maxValues);
      if (isKey && !isString(head)) throw malformed("a map has a key that is not a string");
      let count = -1;
      let map = 0;
      if (head < 0x80 || head >= 0xe0) continue;
      if (head < 0x90) count = (head & 0x0f) * 2, map = 1;
      else if (head < 0xa0) count = head & 0x0f;
      else if (head < 0xc0) position += head & 0x1f;
      else if (head >= 0xdc && head <= 0xdf) {
        const width = head & 1 ? 4 : 2;
        count = readUint(frame, position, width);
        position += width;
        if (head >= 0xde) count *= 2, map = 1;
      } else {
        if (head === 0xcf || head === 0xd3) checkInteger(frame, position, head);
        if (head >= 0xc4 && head <= 0xc6) needsRevival = true;
        if (isMarker(frame, position, head)) needsRevival = true;
        position += leafBytes(frame, position, head);
      }
      if (position > end) throw malformed("it is truncated");
      if (count < 0) continue;
      // Every value takes a byte at least, so a count beyond what is left is a lie.
      if (count > end - position) throw malformed("it announces more values than it holds");
      if (++depth > this.#maxNesting) throw tooMany("maxNesting", depth, this.#maxNesting);
      left[depth] = count;
      isMap[depth] = map;
    }
  }
}

function isMarker(frame: Uint8Array, position: number, head: number): boolean {
  if (head >= 0xd4 && head <= 0xd8) return frame[position] === ExtensionType.marker;
  if (head >= 0xc7 && head <= 0xc9) return frame[position + (1 << (head - 0xc7))] === ExtensionType.marker;
  return false;
}

function isString(head: number): boolean {
  return (head >= 0xa0 && head < 0xc0) || (head >= 0xd9 && head <= 0xdb);
}

/** Bytes that follow the head of a value that holds no others. */
function leafBytes(frame: Uint8Array, position: number, head: number): number {
  switch (head) {
    case 0xc0:
    case 0xc2:
    case 0xc3:
      return 0;
    case 0xc4:
    case 0xd9:
      return 1 + readUint(frame, position, 1);
    case 0xc5:
    case 0xda:
      return 2 + readUint(frame, position, 2);
    case 0xc6:
    case 0xdb:
      return 4 + readUint(frame, position, 4);
    case 0xc7:
      return 2 + readUint(frame, position, 1);
    case 0xc8:
      return 3 + readUint(frame, position, 2);
    case 0xc9:
      return 5 + readUint(frame, position, 4);
    case 0xcc:
    case 0xd0:
      return 1;
    case 0xcd:
    case 0xd1:
      return 2;
    case 0xca:
    case 0xce:
    case 0xd2:
      return 4;
    case 0xcb:
    case 0xcf:
    case 0xd3:
      return 8;
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
      return 1 + (1 << (head - 0xd4));
    default:
      throw malformed(`0x${head.toString(16)} begins no value`);
  }
}

/** Big-endian; beyond the end counts as 0, which the caller's bounds check refuses. */
function readUint(frame: Uint8Array, position: number, width: number): number {
  let value = 0;
  for (let index = 0; index < width; index++) value = value * 256 + (frame[position + index] ?? 0);
  return value;
}

/** 64-bit integers must be safe in JavaScript; larger ones cross as bigint. */
function checkInteger(frame: Uint8Array, position: number, head: number): void {
  const high = readUint(frame, position, 4);
  const isSafe = high < 0x200000 || (head === 0xd3 && high >= 0xffe00000);
  if (!isSafe) throw malformed("an integer lies beyond 2^53");
}

function malformed(what: string): ProtocolError {
  return new ProtocolError(`Cannot decode a frame as it must be one MessagePack value: ${what}`);
}

function tooMany(limit: "maxValues" | "maxNesting", asked: number, allowed: number): LimitExceededError {
  return new LimitExceededError(`Cannot decode a frame as "${limit}" is ${allowed}: it has more`, {
    limit,
    asked,
    allowed,
  });
}
