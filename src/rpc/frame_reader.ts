/**
 * Frames → messages, in one pass that checks what it reads before it makes anything of it.
 *
 * @module
 */

import { LimitExceededError, ProtocolError } from "../errors.ts";
import type { FrameBody } from "../transport/mod.ts";
import type { RawMessage } from "./messages.ts";
import { TextReader } from "./text_reader.ts";
import { constantOf, decodeExtension, ExtensionType, markerOf } from "./wire_types.ts";

/** What a reader lets through. */
export interface ReadLimits {
  /** Deepest nesting of arrays and maps. */
  readonly maxNesting: number;
  /** Most elements, keys and leaves together. */
  readonly maxValues: number;
}

/**
 * Reads the frames of one session, one at a time. What it makes is in proportion to the bytes that are there: a count
 * that the rest of the frame cannot hold is refused before anything is made for it.
 *
 * @example
 * ```ts
 * import { FrameReader } from "./frame_reader.ts";
 *
 * const reader = new FrameReader({ maxNesting: 8, maxValues: 100 });
 * reader.read(new Uint8Array([0x92, 16, 7])); // [16, 7]
 * reader.needsRevival; // false
 * ```
 */
export class FrameReader {
  readonly #maxNesting: number;
  readonly #maxValues: number;
  readonly #texts = new TextReader();
  #bytes = new Uint8Array();
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  #end = 0;
  #values = 0;
  /** Values that open containers announced and that have not been read. */
  #owed = 0;
  /** A binary that is not in the frame's memory, and where it belongs. */
  #body: Uint8Array | undefined;
  #bodyAt = -1;
  /** Whether the message read last holds markers, which a `ValueReader` must look at. */
  needsRevival = false;

  /**
   * @param limits Bounds on one frame.
   */
  constructor(limits: ReadLimits) {
    this.#maxNesting = limits.maxNesting;
    this.#maxValues = limits.maxValues;
  }

  /**
   * Read the one message of a frame.
   *
   * @param frame Payload of a frame, hostile. Borrowed: nothing in the message points into it.
   * @param body What `findLargeBody()` named: it becomes the value itself.
   * @returns The message; its fields have not been checked.
   * @throws {ProtocolError} If it is not one whole MessagePack array as PROTOCOL.md has it.
   * @throws {LimitExceededError} If it is nested too deep or holds too many values.
   */
  read(frame: Uint8Array, body?: FrameBody): RawMessage {
    // Frames usually lie in the same memory as the one before.
    if (frame.buffer !== this.#bytes.buffer) {
      this.#bytes = new Uint8Array(frame.buffer as ArrayBuffer);
      this.#view = new DataView(this.#bytes.buffer);
    }
    this.#at = frame.byteOffset;
    this.#end = frame.byteOffset + frame.length;
    this.#values = 0;
    this.#owed = 1;
    this.needsRevival = false;
    this.#body = body?.bytes;
    this.#bodyAt = body === undefined ? -1 : frame.byteOffset + body.at;
    const message = this.#value(0);
    if (this.#at !== this.#end) throw malformed(`${this.#end - this.#at} bytes follow the message`);
    if (this.#body !== undefined) throw malformed("its body belongs to nothing");
    if (!Array.isArray(message)) {
      throw new ProtocolError("Cannot decode a frame as a message must be an array: it is not");
    }
    return message;
  }

  #value(depth: number): unknown {
    this.#values++;
    this.#owed--;
    const head = this.#head();
    if (head < 0x80) return head;
    if (head >= 0xe0) return head - 0x100;
    if (head < 0x90) return this.#map(head & 0x0f, depth + 1);
    if (head < 0xa0) return this.#array(head & 0x0f, depth + 1);
    if (head < 0xc0) return this.#text(head & 0x1f);
    return this.#other(head, depth);
  }

  /** Everything whose first byte says no more than its type. */
  #other(head: number, depth: number): unknown {
    switch (head) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#binary(this.#uint(1 << (head - 0xc4)));
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#extension(this.#uint(1 << (head - 0xc7)));
      case 0xca:
        return this.#view.getFloat32(this.#skip(4));
      case 0xcb:
        return this.#view.getFloat64(this.#skip(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#uint(1 << (head - 0xcc));
      case 0xcf:
        return this.#wideInteger(this.#view.getUint32(this.#skip(8)));
      case 0xd0:
        return this.#view.getInt8(this.#skip(1));
      case 0xd1:
        return this.#view.getInt16(this.#skip(2));
      case 0xd2:
        return this.#view.getInt32(this.#skip(4));
      case 0xd3:
        return this.#wideInteger(this.#view.getInt32(this.#skip(8)));
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#extension(1 << (head - 0xd4));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#uint(1 << (head - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#array(this.#uint(head === 0xdc ? 2 : 4), depth + 1);
      case 0xde:
      case 0xdf:
        return this.#map(this.#uint(head === 0xde ? 2 : 4), depth + 1);
      default:
        throw malformed(`0x${head.toString(16)} begins no value`);
    }
  }

  #array(count: number, depth: number): unknown[] {
    this.#checkContainer(count, depth);
    const array = new Array<unknown>(count);
    for (let index = 0; index < count; index++) array[index] = this.#value(depth);
    return array;
  }

  #map(count: number, depth: number): Record<string, unknown> {
    this.#checkContainer(count * 2, depth);
    const record: Record<string, unknown> = {};
    for (let index = 0; index < count; index++) {
      const key = this.#key();
      record[key] = this.#value(depth);
    }
    return record;
  }

  #checkContainer(count: number, depth: number): void {
    // Every value takes a byte at least, those of the containers around it too: more than what is left is a lie.
    this.#owed += count;
    if (this.#owed > this.#end - this.#at) throw malformed("it announces more values than it holds");
    const values = this.#values + this.#owed;
    if (values > this.#maxValues) throw tooMany("maxValues", values, this.#maxValues);
    if (depth > this.#maxNesting) throw tooMany("maxNesting", depth, this.#maxNesting);
  }

  #key(): string {
    this.#values++;
    this.#owed--;
    const head = this.#head();
    let length: number;
    if (head >= 0xa0 && head < 0xc0) length = head & 0x1f;
    else if (head >= 0xd9 && head <= 0xdb) length = this.#uint(1 << (head - 0xd9));
    else throw malformed("a map has a key that is not a string");
    const key = this.#texts.key(this.#bytes, this.#skip(length), length);
    if (key === undefined) throw malformed("a string is not UTF-8");
    if (key === "__proto__") throw malformed(`a map has a key "__proto__"`);
    return key;
  }

  #text(length: number): string {
    const text = this.#texts.text(this.#bytes, this.#skip(length), length);
    if (text === undefined) throw malformed("a string is not UTF-8");
    return text;
  }

  /** In memory of its own: user code may keep it, and the frame's memory is used again. */
  #binary(length: number): Uint8Array {
    return this.#takeBody(length) ?? this.#bytes.slice(this.#skip(length), this.#at);
  }

  #takeBody(length: number): Uint8Array | undefined {
    if (this.#at !== this.#bodyAt || this.#body?.length !== length) return undefined;
    const body = this.#body;
    this.#body = undefined;
    return body;
  }

  #extension(length: number): unknown {
    const type = this.#view.getInt8(this.#skip(1));
    const body = this.#takeBody(length);
    if (body !== undefined) return decodeExtension(body, type, true);
    const start = this.#skip(length);
    if (type === ExtensionType.marker) {
      this.needsRevival = true;
      return markerOf(length === 1 ? this.#bytes[start]! : -1);
    }
    if (type === ExtensionType.constant) return constantOf(length === 1 ? this.#bytes[start]! : -1);
    return decodeExtension(this.#bytes.subarray(start, start + length), type);
  }

  /** 64-bit integers must be safe in JavaScript; larger ones cross as bigint. */
  #wideInteger(high: number): number {
    const value = high * 0x100000000 + this.#view.getUint32(this.#at - 4);
    if (!Number.isSafeInteger(value)) throw malformed("an integer lies beyond 2^53");
    return value;
  }

  #uint(width: number): number {
    const at = this.#skip(width);
    if (width === 1) return this.#bytes[at]!;
    return width === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #head(): number {
    if (this.#at >= this.#end) throw malformed("it is truncated");
    return this.#bytes[this.#at++]!;
  }

  /** Where the next bytes begin, which are taken by that. */
  #skip(bytes: number): number {
    const start = this.#at;
    if (bytes > this.#end - start) throw malformed("it is truncated");
    this.#at = start + bytes;
    return start;
  }
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
