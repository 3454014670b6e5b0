/**
 * What the permission broker is given and what it tells.
 *
 * @module
 */

import type { SandboxPaths } from "../launcher/types.ts";
import type { SandboxPolicy } from "../policy/types.ts";
import type { Clock } from "../util/clock.ts";
import type {
  LearnedGrant,
  OnPermission,
  PermissionAnswer,
  PermissionKind,
  PermissionRequest,
} from "../util/permission.ts";

export type { LearnedGrant, PermissionAnswer, PermissionKind, PermissionRequest };

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
  readonly onPermission?: OnPermission;
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
