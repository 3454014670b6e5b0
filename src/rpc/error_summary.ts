/**
 * What is left of an error that cannot cross.
 *
 * @module
 */

const MAX_TEXT = 1_024;
const MAX_STACK = 16_384;
const MAX_PROPERTIES = 16;
const MAX_KEY = 100;

/**
 * The error without what keeps it from crossing: its class, name, message, stack and short primitive properties.
 *
 * @param error Anything that was thrown; reading it may throw.
 * @returns A copy of the same class, or undefined if it is no error or cannot be read.
 *
 * @example
 * ```ts
 * import { errorSummary } from "./error_summary.ts";
 *
 * const copy = errorSummary(new RangeError("too far", { cause: Symbol("a") }));
 * console.log(copy instanceof RangeError, copy?.message, copy?.cause); // true "too far" undefined
 * ```
 */
export function errorSummary(error: unknown): Error | undefined {
  try {
    return error instanceof Error ? copyOf(error) : undefined;
  } catch {
    // An accessor or a Proxy that throws: there is nothing to be told of it.
    return undefined;
  }
}

function copyOf(error: Error): Error {
  const copy: Error = Object.create(Object.getPrototypeOf(error));
  define(copy, "name", String(error.name).slice(0, MAX_TEXT));
  define(copy, "message", String(error.message).slice(0, MAX_TEXT));
  if (typeof error.stack === "string") define(copy, "stack", error.stack.slice(0, MAX_STACK));
  for (const key of Object.keys(error).slice(0, MAX_PROPERTIES)) {
    if (Object.hasOwn(copy, key) || key.length > MAX_KEY || !key.isWellFormed()) continue;
    const value: unknown = Object.getOwnPropertyDescriptor(error, key)?.value;
    const isShort = typeof value === "string" && value.length <= MAX_TEXT;
    if (isShort || typeof value === "number" || typeof value === "boolean") define(copy, key, value, true);
  }
  return copy;
}

function define(copy: Error, key: string, value: unknown, enumerable = false): void {
  Object.defineProperty(copy, key, { value, enumerable, writable: true, configurable: true });
}
