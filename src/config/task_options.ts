/**
 * Parses the options of a pool's tasks.
 *
 * @module
 */

import { abortSignal, flag, object, type Parsed } from "./parse.ts";
import { amount, count, duration } from "./quantity.ts";

const taskShape = Object.freeze({
  signal: abortSignal,
  timeoutMs: duration(),
  acquireTimeoutMs: duration(),
  priority: amount("a number", { min: -Number.MAX_VALUE, max: Number.MAX_VALUE }),
  idempotent: flag,
});

const mapShape = Object.freeze({ ...taskShape, concurrency: count("a number of tasks", { min: 1 }) });

/**
 * Reads what `execute()` and `submit()` take: a misspelt option would be heeded by nobody.
 *
 * @param options What the caller passed.
 * @returns The same, checked and frozen.
 * @throws {ConfigError} If a key is unknown or a value does not follow its rule.
 *
 * @example
 * ```ts
 * import { throws } from "node:assert/strict";
 * import { taskOptions } from "./mod.ts";
 *
 * throws(() => taskOptions({ timeOutMs: 10 }), { name: "ConfigError" });
 * ```
 */
export function taskOptions(options: unknown): Parsed<typeof taskShape> {
  return object(options, "", taskShape);
}

/**
 * Reads what `map()` takes: the options of each task, and how many run at once.
 *
 * @param options What the caller passed.
 * @returns The same, checked and frozen.
 * @throws {ConfigError} If a key is unknown or a value does not follow its rule.
 */
export function mapOptions(options: unknown): Parsed<typeof mapShape> {
  return object(options, "", mapShape);
}

/**
 * Reads what `close()` takes.
 *
 * @param options What the caller passed.
 * @returns The same, checked and frozen.
 * @throws {ConfigError} If a key is unknown or a value does not follow its rule.
 */
export function closeOptions(options: unknown): { readonly drain?: boolean } {
  return object(options, "", { drain: flag });
}
