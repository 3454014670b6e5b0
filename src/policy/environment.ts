/**
 * Which variables a plugin may be given.
 *
 * @module
 */

import { isVariableName, steersRuntime } from "../config/variable_name.ts";
import { ConfigError } from "../errors.ts";

/**
 * Check the variables that a plugin gets.
 *
 * @param variables Names and values, as the configuration lists them.
 * @returns A frozen copy.
 * @throws {ConfigError} If a name is not a variable's name, could steer the runtime, or a value contains NUL.
 * @example
 * ```ts
 * import { pluginEnvironment } from "./environment.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(pluginEnvironment({ GREETING: "hello" }).GREETING, "hello");
 * ```
 */
export function pluginEnvironment(
  variables: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(variables)) checkVariable(name, value);
  return Object.freeze({ ...variables });
}

function checkVariable(name: string, value: string): void {
  const rule = refusal(name, value);
  if (rule === null) return;
  throw new ConfigError(`Cannot pass the variable ${JSON.stringify(name)} as ${rule}`, {
    path: `permissions.env.${name}`,
    hint: "Remove it from permissions.env, or pass its value under another name",
  });
}

function refusal(name: string, value: string): string | null {
  if (!isVariableName(name)) return "a name consists of letters, digits and underscores";
  if (steersRuntime(name)) return "it would steer the runtime of the plugin";
  if (value.includes("\0")) return "its value contains NUL";
  return null;
}
