/**
 * What a pool schedules on, and what it tells.
 *
 * @module
 */

import type { OrderedMapOptions } from "./ordered_map.ts";

/** One process of a pool, as far as scheduling depends on it. Owned by the pool once it was handed over. */
export interface PoolWorker<A> {
  /** What tasks get. */
  readonly api: A;
  /** The same for one task that may be run again as long as it calls nothing else than what `onCall` allows. */
  apiFor?(onCall: (isIdempotent: boolean) => void): A;
  /** Settles when the worker died, with the error that whatever depended on it shall see. Never rejects. */
  readonly died: Promise<unknown>;
  /** Memory in use in bytes, if it can be told. */
  memoryBytes?(): number | null | Promise<number | null>;
  /** Whether its end has begun, so that `died` will settle. */
  readonly isGone?: boolean;
  /** Ends it in order; settles when nothing is left. */
  stop(): Promise<void>;
  /** Ends it at once, whatever it is doing; `died` settles. */
  kill(reason: unknown): void;
}

/** Starts one more worker. Rejects when that fails or `signal` aborts; then nothing is left of it. */
export type StartWorker<A> = (signal: AbortSignal) => Promise<PoolWorker<A>>;

/** Work for one worker. It should end soon after `signal` aborts: otherwise its worker is killed. */
export type PoolWork<A, T> = (api: A, signal: AbortSignal) => T | Promise<T>;

/** Options of one task. */
export interface TaskOptions {
  /** Takes the task out of the queue, or cancels it. @default none */
  readonly signal?: AbortSignal;
  /** Longest run in milliseconds; 0 means none. @default the pool's `taskTimeoutMs` */
  readonly timeoutMs?: number;
  /** Longest wait for a worker in milliseconds; 0 means none. @default the pool's `acquireTimeoutMs` */
  readonly acquireTimeoutMs?: number;
  /** Higher goes first. @default 0 */
  readonly priority?: number;
  /**
   * The task may be run once more, from its beginning, when its worker dies under it. Without this a task is run at most
   * once, unless all that it called are exports listed in the pool's `idempotent`. @default false
   */
  readonly idempotent?: boolean;
}

/** A task that was submitted. */
export interface TaskHandle<T> {
  /** Counts the tasks of the pool from 1. */
  readonly id: number;
  /** What it is doing. */
  readonly state: TaskState;
  /** Settles once. An error that nobody waits for is not reported as unhandled. */
  readonly result: Promise<T>;
  /**
   * Takes it out of the queue, or cancels it.
   *
   * @param reason What `result` rejects with. @default an AbortError
   */
  cancel(reason?: unknown): void;
}

/** What a task is doing. */
export type TaskState = "queued" | "running" | "succeeded" | "failed";

/** Numbers of a pool. Counts are since it began. */
export interface PoolStats {
  /** Workers, whatever they are doing. */
  readonly size: number;
  /** Workers that are ready and have nothing to do. */
  readonly idle: number;
  /** Workers with a task. */
  readonly busy: number;
  /** Workers on their way up. */
  readonly starting: number;
  /** Waiting for their backoff to pass. */
  readonly restarting: number;
  /** Workers that crashed too often. */
  readonly quarantined: number;
  /** Tasks that wait. */
  readonly queued: number;
  /** Tasks that run. */
  readonly running: number;
  /** Tasks so far. */
  readonly submitted: number;
  /** Tasks that returned. */
  readonly succeeded: number;
  /** Tasks that were rejected, for whatever reason. */
  readonly failed: number;
  /** Of those that failed: ran too long. */
  readonly timedOut: number;
  /** Of those that failed: waited too long. */
  readonly starved: number;
  /** Of those that failed: made room for newer ones. */
  readonly dropped: number;
  /** Deaths of workers and starts that failed. */
  readonly crashes: number;
  /** Replacements after a crash or a kill. */
  readonly restarts: number;
  /** Replacements of worn workers. */
  readonly recycled: number;
  /** Tasks that were run once more, on another worker. */
  readonly repeated: number;
  /** Time that tasks ran, in milliseconds. */
  readonly totalExecutionMs: number;
  /** The same for each task that ran. */
  readonly averageExecutionMs: number;
}

/**
 * Runs tasks on a bounded number of interchangeable workers. Disposing ends them and rejects what still waits.
 *
 * @example
 * ```ts
 * import { createHost } from "@cordon/cordon";
 *
 * const file = await Deno.makeTempFile({ suffix: ".ts" });
 * await Deno.writeTextFile(file, "export const square = (n: number): number => n * n;");
 * await using host = await createHost();
 * await using pool = await host.pool<{ square(n: number): number }>(file, { size: 2 });
 * console.log(await pool.execute((api) => api.square(3))); // 9
 * for await (const square of pool.map([1, 2, 3], (api, n) => api.square(n))) console.log(square); // 1, 4, 9
 * await Deno.remove(file);
 * ```
 */
export interface TaskPool<A> extends AsyncDisposable {
  /** Name for messages. */
  readonly name: string;
  /**
   * Runs a task and waits for its result.
   *
   * @param work Gets the worker and a signal that aborts when the task is cancelled or runs too long.
   * @param options Signal, times and priority.
   * @returns What `work` returns.
   * @throws {ConfigError} If an option is unknown or does not follow its rule.
   * @throws {PoolSaturatedError} If the queue is full, or no worker was free in time.
   * @throws {PoolBrokenError} If every worker crashed too often.
   * @throws {CallTimeoutError} If the task ran too long.
   * @throws {PluginCrashedError} If its worker died.
   * @throws {DisposedError} If the pool was closed.
   */
  execute<T>(work: PoolWork<A, T>, options?: TaskOptions): Promise<T>;
  /**
   * Runs a task without waiting: the handle tells about it.
   *
   * @param work As for `execute()`.
   * @param options Signal, times and priority.
   * @returns A handle, at once. Errors are those of `execute()`, as the rejection of `result`.
   * @throws {ConfigError} If an option is unknown or does not follow its rule.
   */
  submit<T>(work: PoolWork<A, T>, options?: TaskOptions): TaskHandle<T>;
  /**
   * Runs a task for each item, some at once, and yields the results in the order of the items. The first error cancels the
   * rest and ends the iteration with it; so does leaving the loop.
   *
   * @param items Read only as fast as results are taken.
   * @param work Gets the worker, the item, its index and a signal.
   * @param options `concurrency` (default: as many as the pool runs at once) and the options of each task.
   * @returns The results, in order.
   * @throws {ConfigError} If an option is unknown or does not follow its rule; everything else comes from the iteration.
   */
  map<I, T>(
    items: Iterable<I> | AsyncIterable<I>,
    work: (api: A, item: I, index: number, signal: AbortSignal) => T | Promise<T>,
    options?: OrderedMapOptions & TaskOptions,
  ): AsyncGenerator<T, void, void>;
  /**
   * Change how many workers there are. Surplus workers finish what they do, and then end.
   *
   * @param size Workers, or `minSize` and `maxSize` as for `host.pool()`.
   * @returns When surplus workers have ended. New ones are started without waiting for them.
   * @throws {ConfigError} If it is not a number of workers, or the bounds contradict each other.
   */
  resize(size: number | { readonly minSize?: number; readonly maxSize?: number }): Promise<void>;
  /**
   * Put workers with the code as it is now in the place of all others: until then all that are ever started run the same
   * code, whatever becomes of the files. The new ones come up beside the others, which finish what they do and then end;
   * what waits runs on the new ones.
   *
   * @returns When the others have ended. Reloads run one after another.
   * @throws What a start failed with: then everything is as before.
   * @throws {DisposedError} If the pool was closed.
   */
  reload(): Promise<void>;
  /** Numbers as of now. */
  stats(): PoolStats;
  /** Settles when no task waits or runs. New tasks are still taken. */
  drain(): Promise<void>;
  /** Starts the workers again that crashed too often. */
  revive(): void;
  /**
   * Ends the pool. Idempotent: the first call decides how.
   *
   * @param options `drain`: first finish what waits and runs; otherwise it is rejected. @default false
   */
  close(options?: { readonly drain?: boolean }): Promise<void>;
}
