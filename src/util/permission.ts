/**
 * A plugin asks for something beyond its grant: the question, the answer, and what was learned from all of them.
 *
 * @module
 */

/** Deno's kinds of permission. */
export type PermissionKind = "read" | "write" | "net" | "env" | "sys" | "run" | "ffi" | "import";

/** What a plugin asks for beyond its grant. Safe to show: controls and bidirectional marks are escaped. */
export interface PermissionRequest {
  /** Name of the plugin. */
  readonly plugin: string;
  /** What kind of thing it wants. */
  readonly permission: PermissionKind;
  /** Path, `host:port` or name; null is everything of that kind. */
  readonly value: string | null;
  /** The line that would grant it for good; null if none would. */
  readonly suggestion: string | null;
}

/** `{ reason }` is a denial that says why. */
export type PermissionAnswer = "allow" | "deny" | { readonly reason: string };

/** Asked for what a plugin's grant does not contain. The plugin stands still until it has answered. */
export type OnPermission = (request: PermissionRequest) => PermissionAnswer | Promise<PermissionAnswer>;

/** The smallest grant that covers what a script asked for. */
export interface LearnedGrant {
  /** Paths that were read. */
  readonly read: readonly string[];
  /** Paths that were written. */
  readonly write: readonly string[];
  /** `host:port` that were connected to. */
  readonly net: readonly string[];
  /** Names of variables that were read. */
  readonly env: readonly string[];
  /** What was asked about the system. */
  readonly sys: readonly string[];
  /** Unix sockets that were connected to. */
  readonly unix: readonly string[];
  /** What no grant gives: programs, native libraries, imports at run time, everything of a kind. */
  readonly refused: readonly {
    /** What kind of thing it wanted. */
    readonly permission: PermissionKind;
    /** Which one; null is everything of that kind. */
    readonly value: string | null;
  }[];
}
