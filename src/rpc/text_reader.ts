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

/** Eight characters a step; undefined if one is not ASCII. */
function ascii(bytes: Uint8Array, start: number, length: number): string | undefined {
  let text = "";
  let at = start;
  for (const end = start + length - 8; at < end; at += 8) {
    const part = shortAscii(bytes, at, 8);
    if (part === undefined) return undefined;
    text += part;
  }
  const rest = shortAscii(bytes, at, start + length - at);
  return rest === undefined || text === "" ? rest : text + rest;
}

const { fromCharCode } = String;

/** Up to eight: one call for all of them makes one string, each on its own would make as many. */
function shortAscii(bytes: Uint8Array, at: number, length: number): string | undefined {
  if (length === 0) return "";
  const a = bytes[at]!;
  if (length === 1) return a > 0x7f ? undefined : fromCharCode(a);
  const b = bytes[at + 1]!;
  if (length === 2) return (a | b) > 0x7f ? undefined : fromCharCode(a, b);
  const c = bytes[at + 2]!;
  if (length === 3) return (a | b | c) > 0x7f ? undefined : fromCharCode(a, b, c);
  const d = bytes[at + 3]!;
  const four = a | b | c | d;
  if (length === 4) return four > 0x7f ? undefined : fromCharCode(a, b, c, d);
  const e = bytes[at + 4]!;
  if (length === 5) return (four | e) > 0x7f ? undefined : fromCharCode(a, b, c, d, e);
  const f = bytes[at + 5]!;
  if (length === 6) return (four | e | f) > 0x7f ? undefined : fromCharCode(a, b, c, d, e, f);
  const g = bytes[at + 6]!;
  if (length === 7) return (four | e | f | g) > 0x7f ? undefined : fromCharCode(a, b, c, d, e, f, g);
  const h = bytes[at + 7]!;
  return (four | e | f | g | h) > 0x7f ? undefined : fromCharCode(a, b, c, d, e, f, g, h);
}
