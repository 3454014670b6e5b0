/**
 * What a caller may write (options) and what the rest of Cordon reads (frozen configuration).
 *
 * @module
 */

import type { Sink } from "../util/observed_event.ts";
import type { LearnedGrant, OnPermission } from "../util/permission.ts";
import type { ProfileName } from "./capabilities.ts";
import type { RestartOptions, WatchOptions } from "./supervision_types.ts";

export type * from "./supervision_types.ts";

/** How much confinement must be in force before any plugin code runs. */
export type SandboxMode = "required" | "best-effort" | "permissions-only";

/** A size: bytes as a number, or text such as `"256MiB"`, `"1GB"`, `"64KiB"`. */
export type Size = number | string;

/** Whether a limit that cannot be made hard refuses the start or is only reported. */
export type Enforce = "required" | "best-effort";

/**
 * Where lines go that a plugin prints: to the host's standard error with the plugin's name in front, nowhere, or to a
 * function, which must not throw.
 */
export type OutputOption = "inherit" | "ignore" | ((line: string, stream: "stdout" | "stderr") => void);

/** What a plugin may touch. Everything that is not listed is denied. */
export interface PermissionOptions {
  /** Paths to read, absolute or relative to the current directory; `{ source: target }` mounts elsewhere. @default [] */
  readonly read?: readonly string[] | Readonly<Record<string, string>>;
  /** Paths to read and write. @default [] */
  readonly write?: readonly string[] | Readonly<Record<string, string>>;
  /**
   * `host:port` or `host` (ports 443 and 80) that the plugin may reach through the host's proxy, `*.example.com` for every
   * name below; `"host"` shares the host's network. @default []
   */
  readonly net?: readonly string[] | "host";
  /** Names of the host's variables to pass, or the variables themselves. @default [] */
  readonly env?: readonly string[] | Readonly<Record<string, string>>;
  /** Deno `sys` permissions, such as `"hostname"`. @default [] */
  readonly sys?: readonly string[];
  /** Unix sockets of the host that the plugin may connect to. @default [] */
  readonly unix?: readonly string[];
}

/** Bounds on what a plugin may use. */
export interface LimitOptions {
  /** Memory beyond that of an idle sandbox. @default "512MiB" */
  readonly memory?: Size;
  /** Share of one core in percent; 100 is one whole core. @default no bound */
  readonly cpuPercent?: number;
  /** CPU time over the plugin's life in seconds. @default no bound */
  readonly cpuSeconds?: number;
  /** Longest single call in milliseconds; then the plugin is killed. @default no bound */
  readonly wallMs?: number;
  /** Processes and threads. @default 64 */
  readonly processes?: number;
  /** Open files. @default 256 */
  readonly openFiles?: number;
  /** Largest file that the plugin may write. @default "64MiB" */
  readonly fileSize?: Size;
  /** Private scratch space at /tmp; 0 gives none. @default 0 */
  readonly tmp?: Size;
  /** Files and directories in the scratch space. @default one for each 4 KiB of `tmp`, 1024 at least */
  readonly tmpInodes?: number;
  /**
   * Workers that the plugin starts at once. Where no control group counts memory, the runtime's address space for each,
   * about half a gibibyte, would count as memory: this leaves room for it. @default 0
   */
  readonly workers?: number;
  /** Bytes of stdout and stderr together over the plugin's life, `run` excepted. @default "16MiB" */
  readonly output?: Size;
  /** What to do where a limit cannot be hard. @default "best-effort" for defaults, "required" for what was written */
  readonly enforce?: Enforce | Readonly<Record<string, Enforce>>;
}

/** How tensors on GPUs travel. */
export interface CudaOptions {
  /** Plugins with a GPU map the host's memory of it. @default true if the variable CORDON_ENABLE_CUDA_IPC is 1 */
  readonly ipc?: boolean;
  /**
   * Without a driver, and where memory that is to be shared cannot be, tensors go through host memory, or are an error.
   *
   * @default "host-copy"
   */
  readonly fallback?: "host-copy" | "error";
}

/** `CudaOptions` after parsing; `ipc` is null where the variable decides. */
export interface CudaConfig {
  readonly ipc: boolean | null;
  readonly fallback: "host-copy" | "error";
}

/** Options of `createHost()`. */
export interface HostOptions {
  /** Objects that plugins may use by name, if their `services` grant says so. @default {} */
  readonly services?: Readonly<Record<string, object>>;
  /** Confinement demanded of every plugin that does not say otherwise. @default "required" */
  readonly sandbox?: SandboxMode;
  /** Limits of every plugin that does not say otherwise. @default those of `LimitOptions` */
  readonly limits?: LimitOptions;
  /** Preset for a kind of host: the most that any plugin may do, and limits. @default none */
  readonly profile?: ProfileName;
  /** Deadline of a call in milliseconds; 0 means none. @default 0 */
  readonly callTimeoutMs?: number;
  /**
   * Sandboxes to keep started in advance, all plugins together: after a load, one more is started under the same policy, for
   * the next process of that plugin. Each costs the memory of an idle process. @default 0
   */
  readonly warm?: number;
  /**
   * End the host in order when this process gets SIGINT, SIGTERM or SIGHUP, then let the signal end the process. A program
   * that listens to them itself switches this off, and disposes the host. @default true
   */
  readonly handleSignals?: boolean;
  /** How tensors on GPUs travel. @default the defaults of `CudaOptions` */
  readonly cuda?: CudaOptions;
  /** Where lines go that plugins print. @default "inherit" */
  readonly output?: OutputOption;
  /** Asked for what a plugin's grant does not contain; see `LoadOptions.onPermission`. @default denies, unasked */
  readonly onPermission?: OnPermission;
  /** Receive what happens to plugins; they stay the caller's. @default [] */
  readonly sinks?: readonly Sink[];
  /** Path of bubblewrap. @default looked up in /usr/bin, /bin, /usr/local/bin */
  readonly bwrap?: string;
  /** Path of the Deno runtime for plugins. @default the runtime that runs the host */
  readonly deno?: string;
  /** Unprivileged account under which a root host starts sandboxes. @default 65534:65534 */
  readonly runAs?: { readonly uid: number; readonly gid: number };
  /** Directory for bundles and dependency caches. @default $XDG_CACHE_HOME/cordon or ~/.cache/cordon */
  readonly cacheDirectory?: string;
  /** Directory for sockets. @default $XDG_RUNTIME_DIR/cordon; for root, or without it, /tmp/cordon-<uid> */
  readonly runtimeDirectory?: string;
}

/** Namespaces that a sandbox may share with the host. */
export type SharableNamespace = "ipc" | "uts" | "cgroup";

/** Which namespaces of the kernel a sandbox has of its own. `false` shares one with the host; some cannot be shared. */
export interface NamespaceOptions {
  /** System V and POSIX message queues. @default true */
  readonly ipc?: boolean;
  /** Host name. @default true */
  readonly uts?: boolean;
  /** View of control groups. @default true */
  readonly cgroup?: boolean;
  /** Processes; never shared. @default true */
  readonly pid?: true;
  /** Network; shared by `permissions: { net: "host" }` only. @default true */
  readonly net?: true;
  /** Mounts; never shared. @default true */
  readonly mnt?: true;
  /** Users; never shared. @default true */
  readonly user?: true;
}

/** Options of `host.load()`. */
export interface LoadOptions {
  /** Name in messages and in `host.plugins`. @default the entry's file name without extension */
  readonly name?: string;
  /** What the plugin may touch. @default nothing */
  readonly permissions?: PermissionOptions;
  /**
   * The plugin and its packages are made one file on the host. `false` leaves modules as they are and mounts what they
   * import, read-only: for packages that load code by names which only they compute. @default the manifest's, or true
   */
  readonly bundle?: boolean;
  /**
   * Names of the host's services that the plugin sees; an object lists methods for each, those of a nested singleton as
   * `"cache.size"`. @default []
   */
  readonly services?: readonly string[] | Readonly<Record<string, readonly string[]>>;
  /** Bounds on what it may use. @default the host's, key by key */
  readonly limits?: LimitOptions;
  /** Confinement demanded. @default the host's */
  readonly sandbox?: SandboxMode;
  /** Deadline of a call in milliseconds; 0 means none. @default the host's `callTimeoutMs` */
  readonly timeoutMs?: number;
  /** Longest time from spawn to ready in milliseconds. @default 10_000 */
  readonly startupTimeoutMs?: number;
  /** Time between asking a plugin to stop and killing it, in milliseconds. @default 2_000 */
  readonly shutdownGraceMs?: number;
  /** Largest frame on the wire. @default "16MiB" */
  readonly maxFrame?: Size;
  /** Device nodes of GPUs are bound in. @default false */
  readonly gpu?: boolean;
  /** Namespaces of the kernel that the sandbox has of its own. @default all of them */
  readonly namespaces?: NamespaceOptions;
  /** Every sandbox drops all capabilities of the kernel; names are checked, and `keep` must be empty. @default all dropped */
  readonly capabilities?: { readonly drop?: readonly string[] | "ALL"; readonly keep?: readonly string[] };
  /** Whether and when the plugin is started again after a crash. @default false */
  readonly restart?: boolean | RestartOptions;
  /** Exports that may be run a second time when their process dies under them; needs `restart`, or a pool. @default [] */
  readonly idempotent?: readonly string[];
  /** Loads the plugin anew when one of its files changes. @default false */
  readonly watch?: boolean | WatchOptions;
  /**
   * Time between questions whether the idle plugin is alive, in milliseconds; one that misses three in a row is killed.
   * While a call is under way nothing is asked: calls have their own limits. 0 asks never. @default 0
   */
  readonly heartbeatMs?: number;
  /** Where lines go that the plugin prints. @default the host's */
  readonly output?: OutputOption;
  /**
   * Asked whenever the plugin wants something that its grant does not contain, within 30 s, at most 30 times a minute.
   * What is not mounted or routed stays out of reach all the same. @default the host's
   */
  readonly onPermission?: OnPermission;
  /**
   * Everything that can be granted is, as far as mounts and network reach, and the smallest grant that covers it is
   * remembered: see `Plugin.learned()`. A function gets it whenever a process has ended. @default false
   */
  readonly learn?: boolean | ((grant: LearnedGrant) => void);
  /**
   * A debugger may be attached, at an address of this machine that is printed. It can do whatever the plugin can, and see
   * what Cordon's own code in its process keeps from it: for development. Needs bubblewrap and no network grant.
   * @default false
   */
  readonly inspect?: boolean | InspectOptions;
  /**
   * Directory to which a report of the lines that ran is written when a process of the plugin has ended by itself or was
   * stopped: `<name>-<id>.info`, in the format of LCOV. For development; needs bubblewrap. @default none
   */
  readonly coverage?: string;
  /** Aborts the load, which rejects with its reason. @default none */
  readonly signal?: AbortSignal;
}

/** How a debugger reaches a plugin. */
export interface InspectOptions {
  /** Port on 127.0.0.1; 0 takes any that is free. @default 9229 */
  readonly port?: number;
  /** The plugin's code waits until a debugger is attached. @default false */
  readonly wait?: boolean;
}

/** `InspectOptions` after parsing. */
export type InspectConfig = Required<InspectOptions>;

/** A path on the host and where the plugin sees it. */
export interface PathGrant {
  /** Absolute path on the host, as the user wrote it, made absolute. */
  readonly source: string;
  /** Absolute path inside. */
  readonly target: string;
}

/** Permissions after parsing: no defaults left to apply, every path absolute. */
export interface PermissionConfig {
  /** Paths to read. */
  readonly read: readonly PathGrant[];
  /** Paths to read and write. */
  readonly write: readonly PathGrant[];
  /** What the plugin reaches: nothing, the whole network of the host, or listed hosts through a proxy. */
  readonly net: { readonly kind: "none" } | { readonly kind: "host" } | {
    readonly kind: "proxy";
    /**
     * Lower-case `host:port`, port 443 and 80 both listed where none was written. The host is a name, `*.` and a name (any
     * name below it, not itself), a dotted quad, or canonical IPv6 in brackets.
     */
    readonly allow: readonly string[];
  };
  /** Variables to set inside; the values are known here. */
  readonly env: Readonly<Record<string, string>>;
  /** Deno `sys` permissions. */
  readonly sys: readonly string[];
  /** Unix sockets of the host, absolute. */
  readonly unix: readonly string[];
}

/** Limits after parsing: bytes, milliseconds, seconds; `null` is no bound. */
export interface LimitConfig {
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
  /** For every limit by its option name: refuse or report where it cannot be hard. */
  readonly enforce: Readonly<Record<keyof Omit<LimitOptions, "enforce">, Enforce>>;
}

/** `HostOptions` after parsing. */
export interface HostConfig {
  readonly services: Readonly<Record<string, object>>;
  readonly sandbox: SandboxMode;
  readonly limits: LimitOptions;
  readonly profile: ProfileName | null;
  readonly callTimeoutMs: number;
  readonly warm: number;
  readonly handleSignals: boolean;
  readonly bwrap: string | null;
  readonly deno: string | null;
  readonly runAs: { readonly uid: number; readonly gid: number };
  readonly cacheDirectory: string;
  readonly runtimeDirectory: string;
  readonly output: OutputOption;
  readonly onPermission: OnPermission | null;
  readonly sinks: readonly Sink[];
  readonly cuda: CudaConfig;
}

/** `LoadOptions` after parsing, the host's defaults applied. */
export interface LoadConfig {
  readonly name: string;
  /** Absolute file URL (or https:, jsr:, npm: specifier) of the entry module. */
  readonly entry: string;
  readonly permissions: PermissionConfig;
  /** Service name → methods allowed, or `"all"`. */
  readonly services: Readonly<Record<string, readonly string[] | "all">>;
  readonly limits: LimitConfig;
  readonly sandbox: SandboxMode;
  readonly timeoutMs: number;
  readonly startupTimeoutMs: number;
  readonly shutdownGraceMs: number;
  readonly maxFrameBytes: number;
  readonly gpu: boolean;
  /** Whether the plugin is made one file; absent where only its manifest knows. */
  readonly bundle?: boolean;
  /** Absolute directory for reports of the lines that ran; absent where none is wanted. */
  readonly coverage?: string;
  /** How a debugger reaches the plugin; absent where none does. */
  readonly inspect?: InspectConfig;
  /** Namespaces that are the host's. @default none */
  readonly sharedNamespaces?: readonly SharableNamespace[];
}
