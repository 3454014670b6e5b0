/**
 * The one policy that every layer is compiled from. Plain, frozen data.
 *
 * @module
 */

import type { Enforce, SharableNamespace } from "../config/types.ts";

/** Which layers are in force, strongest first. */
export type Tier = "full" | "namespaces" | "landlock" | "permissions-only";

/** How a limit is enforced and whether a plugin can pass it. */
export interface LimitEnforcement {
  /** What was asked for, in the limit's unit (bytes, percent, seconds, milliseconds, count); null is no bound. */
  readonly requested: number | null;
  /** What enforces it; `"none"` if there is nothing to enforce or nothing to do so. */
  readonly mechanism: "cgroup2" | "cgroup1" | "rlimit" | "watchdog" | "bwrap" | "v8" | "host" | "none";
  /** The kernel (or the host, for what the host counts) stops the plugin at the limit. */
  readonly hard: boolean;
  /** What the numbers do not say, such as what is not counted. */
  readonly note?: string;
}

/** Name of a limit, as in `LimitOptions`. */
export type LimitName =
  | "memory"
  | "cpuPercent"
  | "cpuSeconds"
  | "wallMs"
  | "processes"
  | "openFiles"
  | "fileSize"
  | "tmp"
  | "tmpInodes"
  | "workers"
  | "output"
  | "core";

/** Something of the host that the sandbox sees. */
export interface Mount {
  /** Real path on the host (symbolic links resolved). */
  readonly source: string;
  /** Absolute path inside. */
  readonly target: string;
  /** What the plugin may do with it; a device can be controlled, too. */
  readonly mode: "read-only" | "read-write" | "device";
}

/** Deno's own permissions, with paths as the plugin sees them. */
export interface DenoPermissions {
  /** Paths of `--allow-read`. */
  readonly read: readonly string[];
  /** Paths of `--allow-write`. */
  readonly write: readonly string[];
  /** Values of `--allow-net`; `"all"` is the bare flag. */
  readonly net: readonly string[] | "all";
  /** Names of the granted variables. Any may be read, as the plugin's process has no others of the host. */
  readonly env: readonly string[];
  /** Values of `--allow-sys`. */
  readonly sys: readonly string[];
}

/** What the system call filters depend on. */
export interface SeccompProfile {
  /** Socket families that stay open to plugin code. Unix is always open until the guest is connected. */
  readonly network: boolean;
  /** Unix sockets stay open to plugin code (granted sockets, or the proxy's). */
  readonly unix: boolean;
  /** Device ioctls of GPUs pass. */
  readonly gpu: boolean;
  /**
   * The host's own file tree is in sight, as there is no mount namespace: what Landlock does not govern, such as modes,
   * owners and times of files by path, is refused by the filter. @default false
   */
  readonly hostFiles?: boolean;
  /** A debugger's end listens in the sandbox's own, empty network until plugin code runs. @default false */
  readonly inspector?: boolean;
}

/** A real account of the host. */
export interface Account {
  /** Numeric user. */
  readonly uid: number;
  /** Numeric group, the only one. */
  readonly gid: number;
}

/** What confines one plugin, decided before anything is started. */
export interface SandboxPolicy {
  /** Name of the plugin, for messages. */
  readonly plugin: string;
  /** The layers that are in force. */
  readonly tier: Tier;
  /** Instruction set that the system call filters are built for; null where there are none. */
  readonly arch: "x86_64" | "aarch64" | null;
  /** What Deno itself allows the plugin. */
  readonly deno: DenoPermissions;
  /** Granted paths, sockets and devices. What the runtime itself needs is the launcher's business. */
  readonly mounts: readonly Mount[];
  /** What the plugin reaches of the network; a proxy is the host's and lets pass what is listed. */
  readonly network: { readonly kind: "none" } | { readonly kind: "host" } | {
    readonly kind: "proxy";
    readonly allow: readonly string[];
  };
  /** Complete environment of the plugin. */
  readonly environment: Readonly<Record<string, string>>;
  /** Absolute directory inside in which the plugin starts; null is the plugin's own. */
  readonly workingDirectory: string | null;
  /** What the system call filters leave open; null where there are none. */
  readonly seccomp: SeccompProfile | null;
  /** ABI of Landlock that must be in force; 0 when it is not. */
  readonly landlockAbi: number;
  /** Bounds in base units: bytes, seconds, counts. */
  readonly limits: {
    readonly memoryBytes: number;
    readonly cpuPercent: number | null;
    readonly cpuSeconds: number | null;
    readonly wallMs: number | null;
    readonly processes: number;
    readonly openFiles: number;
    readonly fileSizeBytes: number;
    readonly tmpBytes: number;
    readonly tmpInodes: number;
    readonly workers: number;
    readonly outputBytes: number;
    readonly enforce: Readonly<Record<string, Enforce>>;
  };
  /** For every limit, by what it is enforced and whether that is hard. */
  readonly enforcement: Readonly<Record<LimitName, LimitEnforcement>>;
  /** Namespaces that are the host's. The others are the sandbox's own. */
  readonly sharedNamespaces: readonly SharableNamespace[];
  /** Where the control group of this sandbox is made; null where it gets none. */
  readonly cgroup: {
    readonly version: 1 | 2;
    /** Controller → directory on the host in which its leaf is made. */
    readonly directories: Readonly<Record<string, string>>;
  } | null;
  /** Real account under which the sandbox is started; null keeps the host's. */
  readonly runAs: Account | null;
  /** Device nodes of GPUs are bound in. */
  readonly gpu: boolean;
  /** The runtime listens for a debugger in the sandbox's own, empty network; only the guest's start reaches it. */
  readonly inspector?: boolean;
  /** Absolute directory inside to which the runtime writes what it counted; absent where it counts nothing. */
  readonly coverage?: string;
  /** The runtime resolves imports by what is mounted here; absent for plugins that are bundled. */
  readonly dependencies?: PolicyDependencies;
}

/** Packages and remote modules that a plugin imports at run time. */
export interface PolicyDependencies {
  /** Where they are mounted, for reading only. */
  readonly target: string;
  /** `host:port` whose modules may be imported, all of them from the mount. */
  readonly hosts: readonly string[];
}
