/**
 * Reads the environment as far as this process may.
 *
 * @module
 */

/**
 * The value of a variable.
 *
 * @param name Its name.
 * @returns Its value; undefined if it is not set, or may not be read. Nobody is asked.
 *
 * @example
 * ```ts
 * import { readableVariable } from "./readable_variable.ts";
 *
 * readableVariable("NOT_SET"); // undefined
 * ```
 */
export function readableVariable(name: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) : undefined;
}
