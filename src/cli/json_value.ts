/**
 * Turns results of plugins into JSON, which knows fewer types.
 *
 * @module
 */

/**
 * Write any value that a plugin returned as one line of JSON.
 *
 * Typed arrays, sets and iterables of maps become arrays, bigint becomes text, `undefined` and what JSON has no word for
 * becomes null.
 *
 * @param value The value.
 * @returns One line.
 */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value, replaced) ?? "null";
}

function replaced(this: unknown, _key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Map) return isTextKeyed(value) ? Object.fromEntries(value) : [...value];
  if (value instanceof Set) return [...value];
  if (value instanceof Error) return { name: value.name, message: value.message };
  if (value instanceof RegExp) return String(value);
  if (value instanceof ArrayBuffer) return [...new Uint8Array(value)];
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return [...value as unknown as Iterable<unknown>];
  }
  return value;
}

function isTextKeyed(map: ReadonlyMap<unknown, unknown>): boolean {
  return [...map.keys()].every((key) => typeof key === "string");
}
