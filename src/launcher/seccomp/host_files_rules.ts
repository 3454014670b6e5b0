/**
 * What the filter must refuse where Landlock alone stands between a plugin and the host's files.
 *
 * @module
 */

import { check, DENY, oneOf, type Rule } from "./rule.ts";

/** Landlock governs none of these. By descriptor they stay possible: opening the file is governed. */
const BY_PATH =
  "chmod fchmodat fchmodat2 chown lchown fchownat utime utimes futimesat truncate inotify_add_watch";

/**
 * Rules for sandboxes without a mount namespace.
 *
 * @returns Rules that replace those of the set.
 *
 * @example
 * ```ts
 * import { hostFilesRules } from "./host_files_rules.ts";
 *
 * console.log(hostFilesRules().get("chmod")); // { kind: "errno", errno: "EPERM" }
 * ```
 */
export function hostFilesRules(): ReadonlyMap<string, Rule> {
  return new Map<string, Rule>([
    ...BY_PATH.split(" ").map((name): [string, Rule] => [name, DENY]),
    // Without a path it changes the times of an open file.
    ["utimensat", check("EPERM", [oneOf(1, [0])])],
    // There is no process namespace either, and an old Landlock knows no signals.
    ["tgkill", DENY],
  ]);
}
