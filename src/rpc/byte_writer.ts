/**
 * MessagePack into a buffer that grows: heads, leaves and extensions. Knows nothing of what values mean.
 *
 * @module
 */

import { LimitExceededError } from "../errors.ts";
import type { FrameBody } from "../transport/mod.ts";
import { WarmBuffer } from "../transport/mod.ts";
import { LARGE_BODY_BYTES } from "./large_body.ts";
import { ConstantCode, ExtensionType } from "./wire_types.ts";

/** A writer's buffer may stay this large for ever. */
const KEPT_BYTES = 64 * 1024;
/** Up to this length characters are copied one by one, which is faster than asking the runtime. */
const SHORT_TEXT = 64;
/** From this length on the bytes of a text are not reserved for the worst case. */
const LONG_TEXT = 8 * 1024;
/** Head and type of the largest extension, and the largest leaf. */
const HEAD_BYTES = 9;

const encoder = new TextEncoder();

/**
 * Writes one frame after another into the same memory.
 *
 * @example
 * ```ts
 * import { ByteWriter } from "./byte_writer.ts";
 *
 * const writer = new ByteWriter();
 * writer.array(2);
 * writer.number(1);
 * writer.text("a");
 * writer.frame(); // 92 01 a1 61
 * ```
 */
export class ByteWriter {
  #bytes = new Uint8Array(KEPT_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  readonly #warm = new WarmBuffer(KEPT_BYTES);
  #bodies: { readonly at: number; readonly bytes: Uint8Array; readonly length: number }[] = [];
  #bodiesLength = 0;
  /** A frame that grows beyond this is given up. */
  maxBytes = Infinity;

  /** Begin a new frame; the one before is gone. */
  clear(): void {
    if (!this.#warm.keeps(this.#length, this.#bytes.length)) this.#use(new Uint8Array(KEPT_BYTES));
    this.#length = 0;
    if (this.#bodies.length === 0) return;
    this.#bodies = [];
    this.#bodiesLength = 0;
  }

  /** Bytes since `clear()`, large ones included. */
  get length(): number {
    return this.#length + this.#bodiesLength;
  }

  /**
   * The large binaries since `clear()`: they are not copied, and not in `frame()`.
   *
   * @returns Borrowed from whoever wrote them; undefined if there are none.
   */
  bodies(): readonly FrameBody[] | undefined {
    return this.#bodies.length === 0 ? undefined : this.#bodies;
  }

  /** Whether the large binaries are still what they were: their owner may have transferred or resized them. */
  areBodiesWhole(): boolean {
    return this.#bodies.every(({ bytes, length }) => bytes.length === length);
  }

  /**
   * What was written since `clear()`, but for large binaries.
   *
   * @returns Borrowed: valid until the next write.
   */
  frame(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** The head of an array of `count` values, which follow. */
  array(count: number): void {
    this.#reserve(HEAD_BYTES);
    if (count < 16) this.#bytes[this.#length++] = 0x90 | count;
    else this.#counted(0xdc, count);
  }

  /** The head of a map of `count` pairs, which follow. */
  map(count: number): void {
    this.#reserve(HEAD_BYTES);
    if (count < 16) this.#bytes[this.#length++] = 0x80 | count;
    else this.#counted(0xde, count);
  }

  /** `null`. */
  nil(): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = 0xc0;
  }

  /** `true` or `false`. */
  boolean(value: boolean): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value ? 0xc3 : 0xc2;
  }

  /** Any number, exactly. */
  number(value: number): void {
    this.#reserve(HEAD_BYTES);
    if ((value | 0) !== value) return this.#wideNumber(value);
    if (value === 0 && 1 / value < 0) return this.constant(ConstantCode.negativeZero);
    const bytes = this.#bytes;
    if (value >= 0) {
      if (value < 0x80) bytes[this.#length++] = value;
      else if (value < 0x100) this.#short(0xcc, value);
      else if (value < 0x10000) this.#uint16(0xcd, value);
      else this.#uint32(0xce, value);
    } else if (value >= -0x20) bytes[this.#length++] = value;
    else if (value >= -0x80) this.#short(0xd0, value);
    else if (value >= -0x8000) this.#uint16(0xd1, value);
    else this.#uint32(0xd2, value);
  }

  /** A constant that MessagePack has no type for. */
  constant(code: number): void {
    this.#byteExtension(ExtensionType.constant, code);
  }

  /** A marker: what the array around it stands for. */
  marker(code: number): void {
    this.#byteExtension(ExtensionType.marker, code);
  }

  /** A date, by its milliseconds; NaN is an invalid one. */
  date(ms: number): void {
    this.#reserve(10);
    this.#bytes[this.#length++] = 0xd7;
    this.#bytes[this.#length++] = ExtensionType.date;
    this.#view.setFloat64(this.#length, ms);
    this.#length += 8;
  }

  /** A text, exactly: as UTF-16 if UTF-8 would change it. */
  text(text: string): void {
    if (this.shortAscii(text)) return;
    if (isExactInUtf8(text)) this.#utf8(text);
    else this.#utf16(text);
  }

  /** A text, if it is short and ASCII; tells whether it was. */
  shortAscii(text: string): boolean {
    const { length } = text;
    if (length > SHORT_TEXT) return false;
    this.#reserve(2 + length);
    const bytes = this.#bytes;
    const head = this.#length;
    const start = head + (length < 32 ? 1 : 2);
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index);
      if (unit >= 0x80) return false;
      bytes[start + index] = unit;
    }
    if (length < 32) bytes[head] = 0xa0 | length;
    else {
      bytes[head] = 0xd9;
      bytes[head + 1] = length;
    }
    this.#length = start + length;
    return true;
  }

  /** Bytes as such. */
  binary(bytes: Uint8Array): void {
    const { length } = bytes;
    this.#reserve(HEAD_BYTES);
    if (length < 0x100) this.#short(0xc4, length);
    else if (length < 0x10000) this.#uint16(0xc5, length);
    else this.#uint32(0xc6, length);
    this.#append(bytes);
  }

  /** Bytes of an extension type. */
  extension(type: number, bytes: Uint8Array): void {
    const { length } = bytes;
    this.#reserve(HEAD_BYTES);
    if (length < 0x100) this.#short(0xc7, length);
    else if (length < 0x10000) this.#uint16(0xc8, length);
    else this.#uint32(0xc9, length);
    this.#bytes[this.#length++] = type;
    this.#append(bytes);
  }

  /** Beyond 32 signed bits, or no integer. */
  #wideNumber(value: number): void {
    if (!Number.isSafeInteger(value)) {
      this.#bytes[this.#length++] = 0xcb;
      this.#view.setFloat64(this.#length, value);
      this.#length += 8;
    } else if (value > 0 && value <= 0xffffffff) this.#uint32(0xce, value);
    else {
      this.#bytes[this.#length] = value > 0 ? 0xcf : 0xd3;
      this.#view.setInt32(this.#length + 1, Math.floor(value / 0x100000000));
      this.#view.setUint32(this.#length + 5, value >>> 0);
      this.#length += 9;
    }
  }

  #utf8(text: string): void {
    if (text.length >= LONG_TEXT) return this.#longText(text);
    this.#reserve(3 + text.length * 3);
    const start = this.#length;
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(start + 3));
    const head = written < 32 ? 1 : written < 0x100 ? 2 : 3;
    if (head < 3) this.#bytes.copyWithin(start + head, start + 3, start + 3 + written);
    this.#textHead(written);
    this.#length += written;
  }

  #longText(text: string): void {
    const least = this.length + text.length;
    if (least > this.maxBytes) throw frameTooLarge(least, this.maxBytes);
    const bytes = encoder.encode(text);
    this.#reserve(HEAD_BYTES + bytes.length);
    this.#textHead(bytes.length);
    this.#append(bytes);
  }

  #textHead(length: number): void {
    if (length < 32) this.#bytes[this.#length++] = 0xa0 | length;
    else if (length < 0x100) this.#short(0xd9, length);
    else if (length < 0x10000) this.#uint16(0xda, length);
    else this.#uint32(0xdb, length);
  }

  #utf16(text: string): void {
    const bytes = new Uint8Array(text.length * 2);
    const view = new DataView(bytes.buffer);
    for (let index = 0; index < text.length; index++) view.setUint16(index * 2, text.charCodeAt(index), true);
    this.extension(ExtensionType.utf16, bytes);
  }

  #byteExtension(type: number, content: number): void {
    this.#reserve(3);
    this.#bytes[this.#length++] = 0xd4;
    this.#bytes[this.#length++] = type;
    this.#bytes[this.#length++] = content;
  }

  #counted(head16: number, count: number): void {
    if (count < 0x10000) this.#uint16(head16, count);
    else this.#uint32(head16 + 1, count);
  }

  #short(head: number, value: number): void {
    this.#bytes[this.#length++] = head;
    this.#bytes[this.#length++] = value;
  }

  #uint16(head: number, value: number): void {
    this.#bytes[this.#length++] = head;
    this.#bytes[this.#length++] = value >>> 8;
    this.#bytes[this.#length++] = value;
  }

  #uint32(head: number, value: number): void {
    this.#bytes[this.#length++] = head;
    this.#view.setUint32(this.#length, value);
    this.#length += 4;
  }

  #append(bytes: Uint8Array): void {
    const { length } = bytes;
    if (length >= LARGE_BODY_BYTES) {
      this.#bodies.push({ at: this.#length, bytes, length });
      this.#bodiesLength += length;
      if (this.length > this.maxBytes) throw frameTooLarge(this.length, this.maxBytes);
      return;
    }
    this.#reserve(length);
    this.#bytes.set(bytes, this.#length);
    this.#length += length;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes > this.#bytes.length) this.#grow(this.#length + bytes);
  }

  #grow(needed: number): void {
    // What is reserved may be more than what is needed; what is written is not.
    if (this.length > this.maxBytes) throw frameTooLarge(this.length, this.maxBytes);
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#use(larger);
  }

  #use(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

/**
 * Whether UTF-8 carries a text exactly: lone surrogates have none, and decoders drop a byte order mark.
 *
 * @param text Any text.
 * @returns Whether it comes back as it is.
 */
export function isExactInUtf8(text: string): boolean {
  return text.isWellFormed() && text.charCodeAt(0) !== 0xfeff;
}

/**
 * A frame is larger than the peer accepts.
 *
 * @param asked Bytes that are known to be needed.
 * @param allowed What the peer accepts.
 * @returns The error.
 */
export function frameTooLarge(asked: number, allowed: number): LimitExceededError {
  return new LimitExceededError(
    `Cannot send a message as "maxFrameBytes" is ${allowed}: it takes at least ${asked} bytes`,
    {
      limit: "maxFrameBytes",
      asked,
      allowed,
      hint: "Send large data as a stream or a tensor, or raise the limit on both sides",
    },
  );
}
