/**
 * Shows any value in an error message without running any of its code.
 *
 * @module
 */

const maxShown = 80;

/**
 * A short description of a value for an error message.
 *
 * Strings are quoted and cut, objects are only named by their kind: nothing of them is read or called.
 *
 * @param value Any value.
 * @returns Text such as `"\"abc\""`, `"12"`, `"an array"`, `"a function"`.
 *
 * @example
 * ```ts
 * import { quote } from "./quote.ts";
 *
 * quote("a\nb"); // "\"a\\nb\""
 * quote([]); // "an array"
 * ```
 */
export function quote(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value.length > maxShown ? `${JSON.stringify(value.slice(0, maxShown))}…` : JSON.stringify(value);
    case "bigint":
      return `${value}n`;
    case "symbol":
      return "a symbol";
    case "function":
      return "a function";
    case "object":
      if (value === null) return "null";
      return Array.isArray(value) ? "an array" : "an object";
    default:
      return String(value);
  }
}
