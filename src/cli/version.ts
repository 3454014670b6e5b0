/**
 * The version of Cordon.
 *
 * @module
 */

import manifest from "../../deno.json" with { type: "json" };

/**
 * The version of this package.
 *
 * @returns Such as `"0.1.0"`.
 */
export function version(): string {
  return manifest.version;
}
