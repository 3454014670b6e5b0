/**
 * The line that grants what a plugin was denied.
 *
 * @module
 */

import { cleanText } from "../util/clean_text.ts";
import type { PermissionKind } from "./broker_types.ts";

const GRANTABLE: ReadonlySet<string> = new Set(["read", "write", "net", "env", "sys"]);
const MAX_VALUE_CHARACTERS = 4096;

/**
 * Write the line.
 *
 * @param permission Kind of permission.
 * @param value Path, `host:port` or name; null is everything of that kind.
 * @returns Text for the options of `host.load()` or the manifest; null for what Cordon never grants.
 *
 * @example
 * ```ts
 * import { grantLine } from "./grant_line.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(grantLine("read", "/data"), 'permissions: { read: ["/data"] }');
 * equal(grantLine("run", "sh"), null);
 * ```
 */
export function grantLine(permission: PermissionKind, value: string | null): string | null {
  if (value === null || !GRANTABLE.has(permission)) return null;
  const [key, granted] = permission === "net" && value.startsWith("unix:")
    ? ["unix", value.slice("unix:".length)]
    : [permission, value];
  return `permissions: { ${key}: [${cleanText(JSON.stringify(granted), MAX_VALUE_CHARACTERS)}] }`;
}

/**
 * Find the line for an error of Deno's.
 *
 * @param message Message of a `NotCapable` error, of Deno itself or of the permission broker.
 * @returns The line; null if the message is none of a missing permission, or nothing grants it.
 *
 * @example
 * ```ts
 * import { suggestionFor } from "./grant_line.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(
 *   suggestionFor('Requires env access to "HOME", run again with the --allow-env flag'),
 *   'permissions: { env: ["HOME"] }',
 * );
 * ```
 */
export function suggestionFor(message: string): string | null {
  const [, line] = /\. Add (permissions: \{ \w+: \[".*"\] \})$/s.exec(message) ?? [];
  if (line !== undefined) return cleanText(line, MAX_VALUE_CHARACTERS);
  const [, permission = "", value] = /^Requires (\w+) access to "([\s\S]+)", run again with/.exec(message) ??
    [];
  return GRANTABLE.has(permission) && value !== undefined
    ? grantLine(permission as PermissionKind, value)
    : null;
}
