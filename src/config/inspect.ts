/**
 * Parses whether a debugger may be attached to a plugin.
 *
 * @module
 */

import { flag, object } from "./parse.ts";
import { count } from "./quantity.ts";
import type { InspectConfig } from "./types.ts";

/** Deno's own port for debuggers. */
const DEFAULT_PORT = 9229;

/**
 * Reads `inspect`: `true`, `false`, or an object of options.
 *
 * @param value What was written.
 * @param path Where it stands.
 * @returns Frozen configuration; `null` for `false`.
 */
export function inspectConfig(value: unknown, path: string): InspectConfig | null {
  if (value === false) return null;
  const parsed = object(value === true ? {} : value, path, {
    port: count("a port", { min: 0, max: 65_535 }),
    wait: flag,
  });
  return Object.freeze({ port: parsed.port ?? DEFAULT_PORT, wait: parsed.wait ?? false });
}
