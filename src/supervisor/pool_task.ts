/**
 * One task of a pool: waits, runs, and settles exactly once.
 *
 * @module
 */

import { CallTimeoutError, PluginCrashedError } from "../errors.ts";
import type { Clock } from "../util/clock.ts";
import type { PoolWork, TaskHandle, TaskState } from "./pool_types.ts";

/** How a task ended. */
export interface TaskOutcome {
  readonly hasSucceeded: boolean;
  readonly hasTimedOut: boolean;
  /** How long it ran in milliseconds; `null` when it never did. */
  readonly ranMs: number | null;
}

/** Never, always, or unless it called an export that is not idempotent. */
export type TaskRepeat = "never" | "always" | "by-calls";

/** What a task needs of its pool. */
export interface TaskContext {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly priority: number;
  readonly signal: AbortSignal | undefined;
  /** Whether it is run once more when its worker dies under it. */
  readonly repeat: TaskRepeat;
  /** Called once, as soon as the task is settled for its caller. */
  readonly onSettled: (outcome: TaskOutcome) => void;
}

/** A task whose type of result only its caller knows. */
export class PoolTask<A, T = unknown> implements TaskHandle<T> {
  readonly id: number;
  readonly priority: number;
  readonly result: Promise<T>;
  readonly #work: PoolWork<A, T>;
  readonly #context: TaskContext;
  readonly #controller = new AbortController();
  readonly #settle = Promise.withResolvers<T>();
  #cancelAcquire: () => void = () => {};
  #cancelTimeout: () => void = () => {};
  #forgetSignal: () => void = () => {};
  #startedAt: number | null = null;
  #mayRepeat: boolean;
  #state: TaskState = "queued";

  /** `context.signal` must not have aborted yet. */
  constructor(id: number, work: PoolWork<A, T>, context: TaskContext) {
    this.id = id;
    this.priority = context.priority;
    this.#mayRepeat = context.repeat !== "never";
    this.#work = work;
    this.#context = context;
    this.result = this.#settle.promise;
    // Whoever submits without waiting must not bring the host down; whoever waits still gets the rejection.
    this.result.catch(() => {});
    const { signal } = context;
    if (signal === undefined) return;
    const onAbort = () => this.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    this.#forgetSignal = () => signal.removeEventListener("abort", onAbort);
  }

  get state(): TaskState {
    return this.#state;
  }

  /** Aborts with the task's rejection, for whoever still works on it. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  cancel(
    reason: unknown = new DOMException("Cannot finish the task as asked: it was cancelled", "AbortError"),
  ): void {
    this.reject(reason);
  }

  /** Calls `callback` when the wait ends, unless it ended before. */
  whileQueued(delayMs: number, callback: () => void): void {
    if (delayMs > 0) this.#cancelAcquire = this.#context.clock.after(delayMs, callback);
  }

  /** Whether the death of its worker need not be its end. */
  get mayRepeat(): boolean {
    return this.#mayRepeat && (this.#state === "queued" || this.#state === "running");
  }

  /** Whether that depends on what it calls. */
  get isObserved(): boolean {
    return this.mayRepeat && this.#context.repeat === "by-calls";
  }

  /** It called something that must not be called twice. */
  forbidRepeat(): void {
    this.#mayRepeat = false;
  }

  /** It waits for another worker, once. */
  repeat(): void {
    this.#mayRepeat = false;
    this.#state = "queued";
  }

  /**
   * Settles when the work itself let go of `api`, which may be long after the task was settled. Never rejects.
   *
   * @returns The error of a death under it, if the task may be run once more: it is not settled then.
   */
  async run(api: A): Promise<{ readonly crash: PluginCrashedError } | null> {
    this.#state = "running";
    this.#cancelAcquire();
    if (this.#startedAt === null) this.#startTimeout();
    this.#startedAt ??= this.#context.clock.now();
    try {
      const value = await this.#work(api, this.#controller.signal);
      this.#finish("succeeded", () => this.#settle.resolve(value));
    } catch (error) {
      if (this.mayRepeat && error instanceof PluginCrashedError) return { crash: error };
      this.reject(error);
    }
    return null;
  }

  /** Settles the task with an error, if it is not settled. The work is told by its signal. */
  reject(error: unknown): void {
    this.#finish("failed", () => this.#settle.reject(error), error instanceof CallTimeoutError);
    this.#controller.abort(error);
  }

  #startTimeout(): void {
    const { clock, timeoutMs } = this.#context;
    if (timeoutMs === 0) return;
    const message = `Cannot finish task ${this.id} as asked: it ran for ${timeoutMs} ms`;
    this.#cancelTimeout = clock.after(
      timeoutMs,
      () => this.reject(new CallTimeoutError(message, { timeoutMs })),
    );
  }

  #finish(state: "succeeded" | "failed", settle: () => void, hasTimedOut = false): void {
    if (this.#state === "succeeded" || this.#state === "failed") return;
    this.#state = state;
    this.#cancelAcquire();
    this.#cancelTimeout();
    this.#forgetSignal();
    settle();
    const ranMs = this.#startedAt === null ? null : this.#context.clock.now() - this.#startedAt;
    this.#context.onSettled({ hasSucceeded: state === "succeeded", hasTimedOut, ranMs });
  }
}
