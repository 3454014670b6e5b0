/**
 * What a plugin's policy says to one question of its runtime. Pure.
 *
 * @module
 */

import { dirname } from "node:path";
import type { PermissionBrokerOptions, PermissionKind } from "./broker_types.ts";

/** A question as it came over the wire. */
export interface BrokerQuestion {
  readonly permission: PermissionKind;
  readonly value: string | null;
}

/** `ask` is neither granted nor forbidden: the callback's business. */
export type RuleAnswer =
  | { readonly outcome: "allow"; readonly by: "policy" | "runtime" }
  | { readonly outcome: "deny"; readonly by: "rule"; readonly reason: string }
  | { readonly outcome: "ask" };

/** What the answer depends on. */
export interface RuleContext extends Pick<PermissionBrokerOptions, "policy" | "paths"> {
  /** The guest has given up its privileges. */
  readonly isLockedDown: boolean;
}

const NEVER: Readonly<Partial<Record<PermissionKind, string>>> = {
  run: "a plugin never starts programs",
  ffi: "a plugin never loads native code",
  import: "every import is bundled before the plugin starts",
};
/** How Deno names the file that it is about to make in the directory for temporary files. */
const TEMPORARY = "<TMP>";

/**
 * Answer one question from the policy alone.
 *
 * @param question What is asked.
 * @param context The policy and how far the guest is.
 * @returns The answer.
 */
export function ruleAnswer(question: BrokerQuestion, context: RuleContext): RuleAnswer {
  const { permission } = question;
  const value = isPath(question) ? resolvedPath(question.value ?? "", context) : question.value;
  if (value === null && question.value !== null) {
    return {
      outcome: "deny",
      by: "rule",
      reason: 'its path has a NUL, is empty, or goes up with ".." after a name',
    };
  }
  if (isRuntimes(permission, value, context)) return { outcome: "allow", by: "runtime" };
  const never = NEVER[permission];
  if (never !== undefined) return { outcome: "deny", by: "rule", reason: never };
  if (isOwn(permission, value, context)) {
    return { outcome: "deny", by: "rule", reason: "it belongs to the guest that the plugin runs in" };
  }
  if (isGranted(permission, value, context)) return { outcome: "allow", by: "policy" };
  if (!context.isLockedDown) {
    return { outcome: "deny", by: "rule", reason: "the guest does not need it for its start" };
  }
  return { outcome: "ask" };
}

/**
 * The absolute path that a question about a path means.
 *
 * Relative ones start at the directory in which the plugin was started. Should it have moved since, the answer is
 * about another path than the one that is opened: what it can reach then is what its mounts hold, so the broker is
 * used only where they confine it.
 *
 * @param value Path as the plugin wrote it.
 * @param context Where the plugin started.
 * @returns A normal path; null if it is empty, contains NUL, or has `..` after a name (which leads elsewhere if that
 * name is a symbolic link).
 */
export function resolvedPath(
  value: string,
  { policy, paths }: Pick<RuleContext, "policy" | "paths">,
): string | null {
  if (value === "" || value.includes("\0")) return null;
  if (value === TEMPORARY) return "/tmp";
  const start = value.startsWith("/") ? [] : namesOf(policy.workingDirectory ?? paths.plugin);
  let hasName = value.startsWith("/");
  for (const name of namesOf(value)) {
    if (name === "..") {
      if (hasName) return null;
      start.pop();
    } else {
      hasName = true;
      start.push(name);
    }
  }
  return `/${start.join("/")}`;
}

function namesOf(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

function isPath({ permission, value }: BrokerQuestion): boolean {
  return (permission === "read" || permission === "write") && value !== null;
}

/** What the guest itself needs: much for its start, its bundle and the way out for as long as it lives. */
function isRuntimes(permission: PermissionKind, value: string | null, context: RuleContext): boolean {
  const { policy, paths, isLockedDown } = context;
  if (permission === "ffi") {
    return !isLockedDown && paths.library !== null && (value === null || value === paths.library);
  }
  if (value === null) return false;
  const sockets = isLockedDown ? [] : [paths.socket];
  if (policy.network.kind === "proxy") sockets.push(paths.proxy);
  switch (permission) {
    case "read":
      return isBelow(value, paths.plugin) || sockets.includes(value) ||
        (!isLockedDown && value === paths.boot);
    case "write":
      return sockets.includes(value);
    case "net":
      return sockets.some((socket) => value === `unix:${socket}`) ||
        (policy.network.kind === "proxy" && /^127\.0\.0\.1:[0-9]{1,5}$/.test(value));
    default:
      return false;
  }
}

/** Where the guest's settings and sockets are: whoever is asked must not have to know that. */
function isOwn(permission: PermissionKind, value: string | null, { paths }: RuleContext): boolean {
  if (value === null || !["read", "write", "net"].includes(permission)) return false;
  const path = permission === "net" ? value.replace(/^unix:/, "") : value;
  return isBelow(path, dirname(paths.boot));
}

function isGranted(permission: PermissionKind, value: string | null, { policy }: RuleContext): boolean {
  const { deno } = policy;
  switch (permission) {
    case "read":
    case "write":
      return value !== null && deno[permission].some((path) => isBelow(value, path));
    case "env":
      // The process has no other variables than the granted ones; asking for one that is not there is harmless.
      return true;
    case "sys":
      return value !== null && deno[permission].includes(value);
    case "net":
      return deno.net === "all" || (value !== null && deno.net.some((entry) => matchesNet(value, entry)));
    default:
      return false;
  }
}

function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith("/") ? root : `${root}/`);
}

/** Deno asks in lower case and without a trailing dot. */
function matchesNet(value: string, entry: string): boolean {
  if (value === entry) return true;
  const at = value.lastIndexOf(":");
  if (value.slice(0, at) === entry) return true;
  return entry.startsWith("*.") && !value.startsWith("[") && value.endsWith(entry.slice(1));
}
