/**
 * What a caller may write (options) and what the rest of Cordon reads (frozen configuration).
 *
 * @module
 */

import type { Sink } from "../util/observed_event.ts";
import type { LearnedGrant, OnPermission } from "../util/permission.ts";
import type { ProfileName } from "./capabilities.ts";

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
  /** Bytes of stdout and stderr together over the plugin's life, `run` excepted. @default "16MiB" */
  readonly output?: Size;
  /** What to do where a limit cannot be hard. @default "best-effort" for defaults, "required" for what was written */
  readonly enforce?: Enforce | Readonly<Record<string, Enforce>>;
}

/** Options of `createHost()`. */
export interface HostOptions {
  /** Objects that plugins may use by name, if their `services` grant says so. @default {} */
  readonly services?: Readonly<Record<string, object>>;
  /** Confinement demanded of every plugin that does not say otherwise. @default "required" */
  readonly sandbox?: SandboxMode;
  /** Limits of every plugin that does not say otherwise. */
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
  /** Directory for sockets. @default $XDG_RUNTIME_DIR/cordon or /tmp/cordon-<uid> */
  readonly runtimeDirectory?: string;
}

/** Options of `host.load()`. */
export interface LoadOptions {
  /** Name in messages and in `host.plugins`. @default the entry's file name without extension */
  readonly name?: string;
  /** What the plugin may touch. @default nothing */
  readonly permissions?: PermissionOptions;
  /** Names of the host's services that the plugin sees; an object lists methods for each. @default [] */
  readonly services?: readonly string[] | Readonly<Record<string, readonly string[]>>;
  /** Bounds on what it may use. */
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
  /** Whether and when the plugin is started again after a crash. @default false */
  readonly restart?: boolean | RestartOptions;
  /** Exports that may be run a second time when their process dies under them; needs `restart`. @default [] */
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
  /** Aborts the load. */
  readonly signal?: AbortSignal;
}

/** How the wait before a restart grows. A function gets the number of the attempt, from 1, and returns milliseconds. */
export type BackoffOptions = "exponential" | "linear" | {
  /** @default "exponential" */
  readonly kind?: "exponential" | "linear";
  /** First wait in milliseconds. @default 100, linear 1_000 */
  readonly initialMs?: number;
  /** Exponential: each wait is this many times the one before. @default 2 */
  readonly factor?: number;
  /** Linear: each wait is longer by this many milliseconds. @default 1_000 */
  readonly incrementMs?: number;
  /** Longest wait in milliseconds, before jitter. @default 30_000 */
  readonly maxMs?: number;
} | ((attempt: number) => number);

/** When a crashed plugin is started again. */
export interface RestartOptions {
  /** How the wait grows. @default "exponential" */
  readonly backoff?: BackoffOptions;
  /** Each wait is longer by up to this share of itself, by chance. @default 0.2 */
  readonly jitter?: number;
  /** Restarts allowed within `windowMs`; the crash after that quarantines the plugin. @default 5 */
  readonly maxRestarts?: number;
  /** Length of the window in milliseconds. @default 60_000 */
  readonly windowMs?: number;
  /** A plugin that has been ready for this long counts as stable: all is forgotten. @default 30_000 */
  readonly stableMs?: number;
}

/** How long to wait for more changes of a plugin's files before reloading, in milliseconds. */
export type DebounceOptions = number | {
  /** Shortest wait in milliseconds. @default 200 */
  readonly minMs?: number;
  /** Longest wait after one change, in milliseconds. @default 5_000 */
  readonly maxMs?: number;
} | ((changes: readonly FileChange[]) => number);

/** One change of a file that a plugin is made of. */
export interface FileChange {
  /** Absolute path. */
  readonly path: string;
  /** What happened to it. */
  readonly kind: "create" | "modify" | "remove" | "rename";
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** When the files of a plugin change. */
export interface WatchOptions {
  /** Wait after the last change. An object adapts it to the rhythm of the changes. @default 500 */
  readonly debounce?: DebounceOptions;
  /** Failed reloads in a row that stop further ones for `openMs`. @default 3 */
  readonly maxFailures?: number;
  /** How long reloads then pause, in milliseconds. @default 60_000 */
  readonly openMs?: number;
}

/** What a pool does with a task that finds the queue full. */
export type OnQueueFull = "reject" | "wait" | "drop-oldest";

/** Options of `host.pool()`, besides those of each worker. */
export interface PoolOptions {
  /** Workers. @default 4 */
  readonly size?: number;
  /** Workers kept when there is nothing to do. @default `size` */
  readonly minSize?: number;
  /** Workers at most. @default `size` */
  readonly maxSize?: number;
  /** Tasks that may wait. @default 100 */
  readonly queueSize?: number;
  /** What happens to a task beyond that. @default "wait" for `execute()` and `map()`, "reject" for `submit()` */
  readonly onQueueFull?: OnQueueFull;
  /** Longest wait for a worker in milliseconds; 0 means none. @default 30_000 */
  readonly acquireTimeoutMs?: number;
  /** Longest run of a task in milliseconds; 0 means none. @default 0 */
  readonly taskTimeoutMs?: number;
  /** Time that a cancelled task has to let go of its worker before that is killed, in milliseconds. @default 1_000 */
  readonly cancelGraceMs?: number;
  /** Tasks at once on one worker. More than 1 means that a crash takes them all. @default 1 */
  readonly tasksAtOnce?: number;
  /** A worker is replaced after so many tasks; 0 means never. @default 0 */
  readonly maxTasksPerWorker?: number;
  /** A worker is replaced after a task when it uses more than this; 0 means never. @default 0 */
  readonly maxWorkerMemory?: Size;
  /** A worker beyond `minSize` is stopped after being idle for so many milliseconds. @default 300_000 */
  readonly maxIdleMs?: number;
  /** When a crashed worker is replaced. @default true */
  readonly restart?: boolean | RestartOptions;
}

/** A path on the host and where the plugin sees it. */
export interface PathGrant {
  /** Absolute path on the host, as the user wrote it, made absolute. */
  readonly source: string;
  /** Absolute path inside. */
  readonly target: string;
}

/** Permissions after parsing: no defaults left to apply, every path absolute. */
export interface PermissionConfig {
  readonly read: readonly PathGrant[];
  readonly write: readonly PathGrant[];
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
  readonly sys: readonly string[];
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
  readonly bwrap: string | null;
  readonly deno: string | null;
  readonly runAs: { readonly uid: number; readonly gid: number };
  readonly cacheDirectory: string;
  readonly runtimeDirectory: string;
  readonly output: OutputOption;
  readonly onPermission: OnPermission | null;
  readonly sinks: readonly Sink[];
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
}

/** `BackoffOptions` after parsing. */
export type BackoffConfig =
  | {
    readonly kind: "exponential";
    readonly initialMs: number;
    readonly factor: number;
    readonly maxMs: number;
  }
  | {
    readonly kind: "linear";
    readonly initialMs: number;
    readonly incrementMs: number;
    readonly maxMs: number;
  }
  | { readonly kind: "custom"; readonly delayMs: (attempt: number) => number };

/** `RestartOptions` after parsing. */
export interface RestartConfig {
  /** A crashed plugin is started again by itself. */
  readonly isEnabled: boolean;
  readonly backoff: BackoffConfig;
  readonly jitter: number;
  readonly maxRestarts: number;
  readonly windowMs: number;
  readonly stableMs: number;
}

/** `DebounceOptions` after parsing. */
export type DebounceConfig =
  | { readonly kind: "trailing"; readonly delayMs: number }
  | { readonly kind: "adaptive"; readonly minMs: number; readonly maxMs: number }
  | { readonly kind: "custom"; readonly delayMs: (changes: readonly FileChange[]) => number };

/** `WatchOptions` after parsing. */
export interface WatchConfig {
  readonly isEnabled: boolean;
  readonly debounce: DebounceConfig;
  readonly maxFailures: number;
  readonly openMs: number;
}

/** `PoolOptions` after parsing. */
export interface PoolConfig {
  readonly minSize: number;
  readonly maxSize: number;
  readonly queueSize: number;
  /** `null`: wait for `execute()` and `map()`, reject for `submit()`. */
  readonly onQueueFull: OnQueueFull | null;
  readonly acquireTimeoutMs: number;
  readonly taskTimeoutMs: number;
  readonly cancelGraceMs: number;
  readonly tasksAtOnce: number;
  readonly maxTasksPerWorker: number;
  readonly maxWorkerMemoryBytes: number;
  readonly maxIdleMs: number;
  readonly restart: RestartConfig;
}

/** How a plugin is supervised, parsed from `LoadOptions`. */
export interface SupervisionConfig {
  readonly restart: RestartConfig;
  readonly idempotent: readonly string[];
  readonly watch: WatchConfig;
  readonly heartbeatMs: number;
}

/** Who hears of a plugin and answers for it, parsed from `LoadOptions`. */
export interface OversightConfig {
  readonly output: OutputOption;
  readonly onPermission: OnPermission | null;
  readonly learn: boolean | ((grant: LearnedGrant) => void);
}
