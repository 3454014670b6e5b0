/**
 * Which variables a plugin may be given.
 *
 * @module
 */

import { ConfigError } from "../errors.ts";

/** Prefixes of variables that change how the loader, the runtime or its libraries behave. */
const REFUSED_PREFIXES = [
  "LD_",
  "DENO_",
  "NODE_",
  "NPM_",
  "GLIBC_",
  "MALLOC_",
  "V8_",
  "CORDON_",
  "UV_",
  "RUST_",
] as const;
const REFUSED_NAMES = new Set([
  "BASH_ENV",
  "ENV",
  "GCONV_PATH",
  "HOSTALIASES",
  "IFS",
  "LOCALDOMAIN",
  "LOCPATH",
  "NLSPATH",
  "OPENSSL_CONF",
  "PATH_LOCALE",
  "RESOLV_HOST_CONF",
  "RES_OPTIONS",
  "SSLKEYLOGFILE",
  "SSL_CERT_DIR",
  "SSL_CERT_FILE",
  "TMPDIR",
  "TZDIR",
]);
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

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
  if (!NAME.test(name)) return "a name consists of letters, digits and underscores";
  const upper = name.toUpperCase();
  const prefix = REFUSED_PREFIXES.find((start) => upper.startsWith(start));
  if (prefix !== undefined) return `"${prefix}*" would steer the runtime of the plugin`;
  if (REFUSED_NAMES.has(upper)) return "it would steer the runtime of the plugin";
  if (value.includes("\0")) return "its value contains NUL";
  return null;
}
