/**
 * UTF-8 → strings. Short ones are made without asking the runtime, and keys that repeat are made once.
 *
 * @module
 */

/** Keys up to this length are remembered. */
const MAX_KEY_BYTES = 32;
/** A power of two. A peer that sends other keys all the time only makes the memory useless. */
const REMEMBERED_KEYS = 512;
/** Longer texts go to the runtime's decoder. */
const SHORT_TEXT = 32;

interface RememberedKey {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/**
 * Reads the texts of one session.
 *
 * @example
 * ```ts
 * import { TextReader } from "./text_reader.ts";
 *
 * new TextReader().text(new TextEncoder().encode("abc"), 1, 2); // "bc"
 * ```
 */
export class TextReader {
  readonly #keys: (RememberedKey | undefined)[] = new Array(REMEMBERED_KEYS).fill(undefined);
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  /**
   * A key of a map.
   *
   * @param bytes Where it lies; within bounds.
   * @param start Its first byte.
   * @param length Bytes.
   * @returns The key, or undefined if it is not UTF-8.
   */
  key(bytes: Uint8Array, start: number, length: number): string | undefined {
    if (length > MAX_KEY_BYTES) return this.text(bytes, start, length);
    let hash = length;
    for (let index = 0; index < length; index++) hash = (Math.imul(hash, 31) + bytes[start + index]!) | 0;
    const slot = (hash ^ (hash >>> 15)) & (REMEMBERED_KEYS - 1);
    const known = this.#keys[slot];
    if (known !== undefined && isSame(known.bytes, bytes, start, length)) return known.text;
    const text = this.text(bytes, start, length);
    if (text !== undefined) this.#keys[slot] = { bytes: bytes.slice(start, start + length), text };
    return text;
  }

  /**
   * Any text.
   *
   * @param bytes Where it lies; within bounds.
   * @param start Its first byte.
   * @param length Bytes.
   * @returns The text, or undefined if it is not UTF-8.
   */
  text(bytes: Uint8Array, start: number, length: number): string | undefined {
    if (length <= SHORT_TEXT) {
      const text = ascii(bytes, start, length);
      if (text !== undefined) return text;
    }
    try {
      return this.#decoder.decode(bytes.subarray(start, start + length));
    } catch (error) {
      if (error instanceof TypeError) return undefined;
      throw error;
    }
  }
}

function isSame(known: Uint8Array, bytes: Uint8Array, start: number, length: number): boolean {
  if (known.length !== length) return false;
  for (let index = 0; index < length; index++) if (known[index] !== bytes[start + index]) return false;
  return true;
}

/** Four characters a step; undefined if one is not ASCII. */
function ascii(bytes: Uint8Array, start: number, length: number): string | undefined {
  let text = "";
  let at = start;
  for (const end = start + length - 3; at < end; at += 4) {
    const a = bytes[at]!, b = bytes[at + 1]!, c = bytes[at + 2]!, d = bytes[at + 3]!;
    if ((a | b | c | d) > 0x7f) return undefined;
    text += String.fromCharCode(a, b, c, d);
  }
  for (const end = start + length; at < end; at++) {
    const unit = bytes[at]!;
    if (unit > 0x7f) return undefined;
    text += String.fromCharCode(unit);
  }
  return text;
}
