/**
 * What does not cross between processes, and why.
 *
 * @module
 */

import { ValueFailure } from "./value_path.ts";

/**
 * Names that no record may have.
 *
 * @param key A key.
 * @param item What it holds.
 * @throws {ValueFailure} If it would change what the record is on the other side.
 */
export function checkName(key: string, item: unknown): void {
  if (key === "__proto__") {
    throw new ValueFailure(`a key "__proto__" cannot cross: it would name the prototype`);
  }
  if (typeof item === "function") {
    throw new ValueFailure(`a function "then" would make the object a promise: rename it`);
  }
}

/**
 * Whether an instance crosses item by item.
 *
 * @param value Of no class that crosses by value.
 * @returns Whether it can be iterated asynchronously, or is a generator.
 */
export function isStream(value: object): value is AsyncIterable<unknown> {
  return value instanceof ReadableStream ||
    typeof (value as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === "function" ||
    Object.prototype.toString.call(value) === "[object Generator]";
}

/**
 * Say why a value does not cross.
 *
 * @param value Of no class that crosses.
 * @throws {ValueFailure} Always.
 */
export function unclonable(value: object): never {
  if (value instanceof Promise) {
    throw new ValueFailure("a promise cannot cross: it is not settled", { hint: "Await it first" });
  }
  const name = Object.getPrototypeOf(value)?.constructor?.name;
  throw new ValueFailure(
    `only plain values cross by value: it is an instance of "${String(name ?? "no class")}"`,
    {
      hint: "Send a plain object, mark it with handle(), or register its type on both sides",
    },
  );
}
