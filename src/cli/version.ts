/**
 * The version of Cordon.
 *
 * @module
 */

/** A test keeps it equal to that of deno.json. */
const VERSION = "0.1.0";

/**
 * The version of this package.
 *
 * @returns Such as `"0.1.0"`.
 */
export function version(): string {
  return VERSION;
}
