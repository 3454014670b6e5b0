/**
 * Parses how a plugin's files are watched.
 *
 * @module
 */

import { invalid, object } from "./parse.ts";
import { count, duration } from "./quantity.ts";
import type { DebounceConfig, FileChange, WatchConfig } from "./types.ts";

/**
 * Reads `watch`: `true`, `false`, or an object of options.
 *
 * @param value What was written; `undefined` is `false`.
 * @param path Where it stands.
 * @returns Frozen configuration.
 */
export function watchConfig(value: unknown, path: string): WatchConfig {
  const isFlag = value === undefined || typeof value === "boolean";
  const parsed = object(isFlag ? {} : value, path, {
    debounce: debounceConfig,
    maxFailures: count("a number of failures", { min: 1 }),
    openMs: duration({ min: 1 }),
  });
  return Object.freeze({
    isEnabled: !isFlag || value === true,
    debounce: parsed.debounce ?? Object.freeze({ kind: "trailing", delayMs: 500 }),
    maxFailures: parsed.maxFailures ?? 3,
    openMs: parsed.openMs ?? 60_000,
  });
}

function debounceConfig(value: unknown, path: string): DebounceConfig {
  if (typeof value === "number") return Object.freeze({ kind: "trailing", delayMs: duration()(value, path) });
  if (typeof value === "function") {
    const delayMs = (changes: readonly FileChange[]) =>
      Number(Reflect.apply(value as () => unknown, undefined, [changes]));
    return Object.freeze({ kind: "custom", delayMs });
  }
  const { minMs = 200, maxMs = 5_000 } = object(value, path, {
    minMs: duration({ min: 1 }),
    maxMs: duration({ min: 1 }),
  });
  if (minMs > maxMs) throw invalid(path, "bounds of a wait", `${minMs} is more than ${maxMs}`);
  return Object.freeze({ kind: "adaptive", minMs, maxMs });
}
