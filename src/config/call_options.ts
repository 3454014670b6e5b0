/**
 * Parses the options of one call.
 *
 * @module
 */

import { quote } from "../util/quote.ts";
import { abortSignal, flag, invalid, object, type Parsed } from "./parse.ts";
import { duration } from "./quantity.ts";

const shape = Object.freeze({
  signal: abortSignal,
  timeoutMs: duration(),
  onProgress: listener,
  wantsReply: flag,
});

/**
 * Reads what `Plugin.with()` takes: a deadline that no timer can hold would end the plugin, and a misspelt one nothing.
 *
 * @param options What the caller passed.
 * @returns The same, checked and frozen.
 * @throws {ConfigError} If a key is unknown or a value does not follow its rule.
 *
 * @example
 * ```ts
 * import { throws } from "node:assert/strict";
 * import { callOptions } from "./mod.ts";
 *
 * throws(() => callOptions({ timeoutMs: Infinity }), { name: "ConfigError", path: "timeoutMs" });
 * ```
 */
export function callOptions(options: unknown): Parsed<typeof shape> {
  return object(options, "", shape);
}

function listener(value: unknown, path: string): (value: unknown) => void {
  if (typeof value === "function") return value as (value: unknown) => void;
  throw invalid(path, "a function", `it is ${quote(value)}`);
}
