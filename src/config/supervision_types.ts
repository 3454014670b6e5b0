/**
 * Options of supervision (restarts, watching, pools), and what they are parsed into.
 *
 * @module
 */

import type { LearnedGrant, OnPermission } from "../util/permission.ts";
import type { OutputOption, Size } from "./types.ts";

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
  /** What became of it. */
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
