/**
 * One place in a pool: starts its worker, gives it tasks, and replaces it when it dies, wears out or does not let go.
 *
 * @module
 */

import type { PoolConfig } from "../config/types.ts";
import type { Clock } from "../util/clock.ts";
import type { PoolTask } from "./pool_task.ts";
import type { PoolWorker, StartWorker } from "./pool_types.ts";
import { noCrashes, restartDecision, type RestartHistory } from "./restart.ts";

/** What a slot is doing. Only a `ready` one takes tasks. */
export type SlotState = "starting" | "ready" | "draining" | "restarting" | "quarantined" | "stopped";

/** What a slot needs of its pool. */
export interface SlotContext<A> {
  readonly start: StartWorker<A>;
  readonly config: PoolConfig;
  readonly clock: Clock;
  /** A number in [0, 1), for the jitter of waits. */
  readonly random: () => number;
  /** Its worker died under a task that may be run once more. */
  readonly onRepeat: (task: PoolTask<A>) => void;
  /** Something changed: there may be room, or less of it. */
  readonly onChange: (
    slot: PoolSlot<A>,
    change: "ready" | "released" | "crashed" | "restarted" | "recycled",
  ) => void;
}

/** One place in a pool. Owned by the pool; `stop()` ends it. */
export class PoolSlot<A> {
  readonly #context: SlotContext<A>;
  readonly #tasks = new Set<PoolTask<A>>();
  /** Workers that are on their way out. */
  readonly #leaving = new Set<Promise<void>>();
  #state: SlotState = "starting";
  #worker: PoolWorker<A> | null = null;
  #starting = new AbortController();
  /** Cancels the one timer: of the backoff while `restarting`, of the idle time while `ready`. */
  #cancelTimer: (() => void) | null = null;
  #readyAt = 0;
  #tasksDone = 0;
  #isKilledByPool = false;
  /** Ends it, once nothing runs any more. */
  #retire: (() => void) | null = null;
  #history: RestartHistory = noCrashes;
  #lastCrash: unknown;
  #stopFailure: { readonly error: unknown } | null = null;

  /** Starts its first worker at once. */
  constructor(context: SlotContext<A>) {
    this.#context = context;
    this.#start();
  }

  get state(): SlotState {
    return this.#state;
  }

  /** Tasks that run on it. */
  get load(): number {
    return this.#tasks.size;
  }

  /** Whether it takes another task now. */
  get hasRoom(): boolean {
    return this.#state === "ready" && this.#tasks.size < this.#context.config.tasksAtOnce;
  }

  /** The error of its last crash. */
  get lastCrash(): unknown {
    return this.#lastCrash;
  }

  /** Runs a task. Only while {@linkcode hasRoom}. */
  run(task: PoolTask<A>): void {
    const worker = this.#worker;
    if (worker === null) throw new TypeError(`Cannot run a task as asked: the worker is ${this.#state}`);
    this.#disarm();
    this.#tasks.add(task);
    let cancelGrace = () => {};
    const onAbort = () => {
      if (this.#worker !== worker || this.#state === "stopped") return;
      const { clock, config } = this.#context;
      cancelGrace = clock.after(config.cancelGraceMs, () => this.#kill(worker, task.signal.reason));
    };
    task.signal.addEventListener("abort", onAbort, { once: true });
    void task.run(apiOf(worker, task)).then(async (held) => {
      cancelGrace();
      task.signal.removeEventListener("abort", onAbort);
      if (held !== null) await this.#afterCrash(worker, task, held.crash);
      if (this.#tasks.delete(task) && this.#worker === worker) void this.#released(worker);
    });
  }

  /** Takes no more tasks, finishes those that run, and ends the worker. Settles as {@linkcode stop}. */
  async retire(reason: unknown): Promise<void> {
    if (this.#state === "ready") this.#state = "draining";
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#retire = resolve;
    if (this.#tasks.size > 0) await promise;
    await this.stop(reason);
  }

  /** Starts a quarantined worker again. */
  revive(): void {
    if (this.#state === "quarantined") this.#start();
  }

  /** Calls `callback` if the slot stays idle for so long. */
  whileIdle(delayMs: number, callback: () => void): void {
    if (this.#state !== "ready" || this.#tasks.size > 0 || this.#cancelTimer !== null) return;
    this.#cancelTimer = this.#context.clock.after(delayMs, callback);
  }

  /** Takes no more tasks, rejects those that run with `reason`, and ends the worker. Settles when nothing is left; rejects
   * with the first error of a worker that could not be ended. */
  async stop(reason: unknown): Promise<void> {
    this.#state = "stopped";
    this.#retire?.();
    this.#disarm();
    this.#starting.abort(reason);
    for (const task of [...this.#tasks]) task.reject(reason);
    this.#tasks.clear();
    this.#dismiss();
    while (this.#leaving.size > 0) await Promise.all(this.#leaving);
    if (this.#stopFailure !== null) throw this.#stopFailure.error;
  }

  #start(): void {
    this.#state = "starting";
    this.#tasksDone = 0;
    this.#isKilledByPool = false;
    this.#starting = new AbortController();
    const { signal } = this.#starting;
    const started = Promise.try(this.#context.start, signal).then(
      (worker) => this.#ready(worker),
      (error) => this.#failed(error),
    );
    this.#leave(started);
  }

  #ready(worker: PoolWorker<A>): void {
    if (this.#state === "stopped") {
      this.#leave(worker.stop());
      return;
    }
    this.#worker = worker;
    this.#state = "ready";
    this.#readyAt = this.#context.clock.now();
    void worker.died.then((error) => this.#died(worker, error));
    this.#context.onChange(this, "ready");
  }

  #died(worker: PoolWorker<A>, error: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    this.#disarm();
    // The process is gone: whatever ran in it is lost, exactly once, and nothing is run again by itself.
    for (const task of [...this.#tasks]) if (!task.mayRepeat) task.reject(error);
    this.#tasks.clear();
    this.#leave(worker.stop());
    if (this.#retire !== null) return this.#retire();
    if (!this.#isKilledByPool) return this.#failed(error);
    this.#context.onChange(this, "restarted");
    this.#start();
  }

  #failed(error: unknown): void {
    if (this.#state === "stopped") return;
    const { clock, config, random } = this.#context;
    const at = clock.now();
    const ranMs = this.#state === "starting" ? 0 : at - this.#readyAt;
    this.#lastCrash = error;
    this.#state = "quarantined";
    if (config.restart.isEnabled) {
      const { decision, history } = restartDecision(config.restart, this.#history, { at, ranMs }, random());
      this.#history = history;
      if (decision.kind === "restart") {
        this.#state = "restarting";
        this.#cancelTimer = clock.after(decision.delayMs, () => {
          this.#cancelTimer = null;
          this.#context.onChange(this, "restarted");
          this.#start();
        });
      }
    }
    this.#context.onChange(this, "crashed");
  }

  #kill(worker: PoolWorker<A>, reason: unknown): void {
    if (this.#worker !== worker) return;
    this.#isKilledByPool = true;
    this.#state = "draining";
    worker.kill(reason);
  }

  /** The same error may come from another plugin that the task uses: then its own worker is alive. */
  async #afterCrash(worker: PoolWorker<A>, task: PoolTask<A>, crash: unknown): Promise<void> {
    if (this.#worker === worker && worker.isGone === true) await worker.died;
    if (this.#worker === worker || !task.mayRepeat) return task.reject(crash);
    this.#context.onRepeat(task);
  }

  async #released(worker: PoolWorker<A>): Promise<void> {
    this.#tasksDone++;
    if (this.#retire !== null && this.#tasks.size === 0) return this.#retire();
    const { config } = this.#context;
    const isWorn = config.maxTasksPerWorker > 0 && this.#tasksDone >= config.maxTasksPerWorker;
    if (isWorn && this.#state === "ready") this.#state = "draining";
    if (this.#state === "ready" && config.maxWorkerMemoryBytes > 0 && await this.#isFat(worker)) {
      if (this.#worker === worker && this.#state === "ready") this.#state = "draining";
    }
    if (this.#worker !== worker) return;
    if (
      this.#state === "draining" && this.#tasks.size === 0 && !this.#isKilledByPool && this.#retire === null
    ) {
      this.#dismiss();
      this.#context.onChange(this, "recycled");
      this.#start();
      return;
    }
    this.#context.onChange(this, "released");
  }

  async #isFat(worker: PoolWorker<A>): Promise<boolean> {
    const { maxWorkerMemoryBytes } = this.#context.config;
    // A worker that cannot be asked is dying, and its death is told by `died`.
    const bytes = await Promise.try(() => worker.memoryBytes?.() ?? null).catch(() => null);
    return bytes !== null && bytes > maxWorkerMemoryBytes;
  }

  #dismiss(): void {
    const worker = this.#worker;
    this.#worker = null;
    if (worker !== null) this.#leave(worker.stop());
  }

  #leave(ending: Promise<void>): void {
    const settled = ending.catch((error) => void (this.#stopFailure ??= { error }))
      .finally(() => this.#leaving.delete(settled));
    this.#leaving.add(settled);
  }

  #disarm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }
}

function apiOf<A>(worker: PoolWorker<A>, task: PoolTask<A>): A {
  if (!task.isObserved || worker.apiFor === undefined) return worker.api;
  return worker.apiFor((isIdempotent) => isIdempotent || task.forbidRepeat());
}
