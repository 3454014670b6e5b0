/**
 * What a pool schedules on, and what it tells.
 *
 * @module
 */

/** One process of a pool, as far as scheduling depends on it. Owned by the pool once it was handed over. */
export interface PoolWorker<A> {
  /** What tasks get. */
  readonly api: A;
  /** Settles when the worker died, with the error that whatever depended on it shall see. Never rejects. */
  readonly died: Promise<unknown>;
  /** Memory in use in bytes, if it can be told. */
  memoryBytes?(): number | null | Promise<number | null>;
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
  /** Takes the task out of the queue, or cancels it. */
  readonly signal?: AbortSignal;
  /** Longest run in milliseconds; 0 means none. @default the pool's `taskTimeoutMs` */
  readonly timeoutMs?: number;
  /** Longest wait for a worker in milliseconds; 0 means none. @default the pool's `acquireTimeoutMs` */
  readonly acquireTimeoutMs?: number;
  /** Higher goes first. @default 0 */
  readonly priority?: number;
}

/** A task that was submitted. */
export interface TaskHandle<T> {
  /** Counts the tasks of the pool from 1. */
  readonly id: number;
  /** What it is doing. */
  readonly state: TaskState;
  /** Settles once. An error that nobody waits for is not reported as unhandled. */
  readonly result: Promise<T>;
  /** Takes it out of the queue, or cancels it. */
  cancel(reason?: unknown): void;
}

/** What a task is doing. */
export type TaskState = "queued" | "running" | "succeeded" | "failed";

/** Numbers of a pool. Counts are since it began. */
export interface PoolStats {
  /** Workers, whatever they are doing. */
  readonly size: number;
  readonly idle: number;
  readonly busy: number;
  readonly starting: number;
  /** Waiting for their backoff to pass. */
  readonly restarting: number;
  readonly quarantined: number;
  /** Tasks that wait, and tasks that run. */
  readonly queued: number;
  readonly running: number;
  readonly submitted: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Of those that failed: ran too long, waited too long, made room for newer ones. */
  readonly timedOut: number;
  readonly starved: number;
  readonly dropped: number;
  readonly crashes: number;
  readonly restarts: number;
  readonly recycled: number;
  readonly totalExecutionMs: number;
  readonly averageExecutionMs: number;
}
