/**
 * What the permission broker is given and what it tells.
 *
 * @module
 */

import type { SandboxPaths } from "../launcher/types.ts";
import type { SandboxPolicy } from "../policy/types.ts";
import type { Clock } from "../util/clock.ts";

/** Deno's kinds of permission. */
export type PermissionKind = "read" | "write" | "net" | "env" | "sys" | "run" | "ffi" | "import";

/** What a plugin asks for beyond its grant. Safe to show: controls and bidirectional marks are escaped. */
export interface PermissionRequest {
  /** Name of the plugin. */
  readonly plugin: string;
  readonly permission: PermissionKind;
  /** Path, `host:port` or name; null is everything of that kind. */
  readonly value: string | null;
  /** The line that would grant it for good; null if none would. */
  readonly suggestion: string | null;
}

/** `{ reason }` is a denial that says why. */
export type PermissionAnswer = "allow" | "deny" | { readonly reason: string };

/** One decision, for the log that the host keeps. */
export interface PermissionAudit {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly plugin: string;
  /** The kind that was asked for; `"protocol"` if the plugin's runtime broke the protocol and was disconnected. */
  readonly permission: PermissionKind | "protocol";
  /** Escaped as in {@linkcode PermissionRequest}. */
  readonly value: string | null;
  readonly outcome: "allow" | "deny";
  /** What decided: the grant, the runtime's own needs, a fixed rule, the callback, learn mode, or the rate limit. */
  readonly by: "policy" | "runtime" | "rule" | "callback" | "learn" | "rate";
  readonly reason: string;
  /** How often this same decision was made so far: 1, 10, 100, …; those between are not reported. */
  readonly count: number;
}

/** The smallest grant that covers what a script asked for. */
export interface LearnedGrant {
  readonly read: readonly string[];
  readonly write: readonly string[];
  readonly net: readonly string[];
  readonly env: readonly string[];
  readonly sys: readonly string[];
  readonly unix: readonly string[];
  /** What no grant gives: programs, native libraries, imports at run time, everything of a kind. */
  readonly refused: readonly { readonly permission: PermissionKind; readonly value: string | null }[];
}

/** Options of `startPermissionBroker()`. */
export interface PermissionBrokerOptions {
  /** Absolute path for the Unix socket, in a directory that only the sandbox's account can enter. */
  readonly socketPath: string;
  /** The whole policy: the runtime's own `--allow-*` flags count for nothing while it has a broker. */
  readonly policy: Pick<SandboxPolicy, "plugin" | "tier" | "deno" | "network" | "workingDirectory" | "runAs">;
  /** Where the guest finds its own files. */
  readonly paths: Pick<SandboxPaths, "plugin" | "proxy" | "socket" | "boot" | "library">;
  /** Hears of each decision. Must not throw. */
  readonly audit: (entry: PermissionAudit) => void;
  /**
   * Asked for what the policy does not grant. The plugin's thread stands still until it has answered.
   *
   * @default denies
   */
  readonly onPermission?: (request: PermissionRequest) => PermissionAnswer | Promise<PermissionAnswer>;
  /** `learn` grants what can be granted and remembers it. @default "enforce" */
  readonly mode?: "enforce" | "learn";
  /** Milliseconds that `onPermission` has; then the answer is no. @default 30_000 */
  readonly answerTimeoutMs?: number;
  /** Questions to `onPermission` a minute; what comes beyond is denied unasked. @default 30 */
  readonly asksPerMinute?: number;
  /** @default the system's clock */
  readonly clock?: Clock;
}

/** A running broker. Disposing ends the connection (and with it the plugin) and removes the socket. */
export interface PermissionBroker extends AsyncDisposable {
  readonly socketPath: string;
  /** Whether `onPermission` is being asked now: the plugin cannot answer a heartbeat meanwhile. */
  readonly isAsking: boolean;
  /** The guest has given up its privileges: from now on FFI and the guest's own files are denied. Cannot be undone. */
  lockDown(): void;
  /** What was asked for so far, as a grant. */
  learned(): LearnedGrant;
}
