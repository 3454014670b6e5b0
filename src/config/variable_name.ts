/**
 * Names of variables, and which of them no plugin is given, whoever asks.
 *
 * @module
 */

/** Prefixes of variables that change how the loader, the runtime or its libraries behave. */
const PREFIXES = /^(?:LD|DENO|NODE|NPM|GLIBC|MALLOC|V8|CORDON|UV|RUST)_/;

const NAMES: ReadonlySet<string> = new Set([
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

/**
 * Whether a text can be the name of a variable.
 *
 * @param text Any text.
 * @returns True for letters, digits and underscores, 256 at most, that do not begin with a digit.
 *
 * @example
 * ```ts
 * import { isVariableName } from "./variable_name.ts";
 *
 * isVariableName("A=B"); // false
 * ```
 */
export function isVariableName(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]{0,255}$/.test(text);
}

/**
 * Whether a variable makes the dynamic loader, the C library or the runtime load code or change how it behaves: with one
 * of them a plugin's grant would become the runtime's.
 *
 * @param name Name of the variable, in whatever case.
 * @returns True if it is never passed on.
 *
 * @example
 * ```ts
 * import { steersRuntime } from "./variable_name.ts";
 *
 * steersRuntime("LD_PRELOAD"); // true
 * steersRuntime("LANG"); // false
 * ```
 */
export function steersRuntime(name: string): boolean {
  const upper = name.toUpperCase();
  return PREFIXES.test(upper) || NAMES.has(upper);
}
