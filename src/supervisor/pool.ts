/**
 * Runs tasks on a bounded number of interchangeable workers.
 *
 * @module
 */

import type { OnQueueFull, PoolConfig } from "../config/types.ts";
import { DisposedError, PoolBrokenError, PoolSaturatedError } from "../errors.ts";
import { closeOptions, mapOptions, poolSizes, taskOptions } from "../config/mod.ts";
import { type Clock, systemClock } from "../util/clock.ts";
import { orderedMap, type OrderedMapOptions } from "./ordered_map.ts";
import { PoolCounters } from "./pool_counters.ts";
import { PoolSlot, type SlotContext, type SlotState } from "./pool_slot.ts";
import { PoolTask, type TaskOutcome } from "./pool_task.ts";
import type { PoolStats, PoolWork, StartWorker, TaskHandle, TaskOptions, TaskPool } from "./pool_types.ts";
import { StagedSlots } from "./staged_slots.ts";
import { TaskQueue } from "./task_queue.ts";

/** What a pool takes from its surroundings. */
export interface PoolSetup<A> {
  /** Name for messages. */
  readonly name: string;
  readonly config: PoolConfig;
  /** Gives what starts workers that all run the same code. Called once, and again for each `reload()`. */
  readonly starter: () => StartWorker<A>;
  /** Tasks may be run once more if all that they call is idempotent. @default false */
  readonly hasIdempotent?: boolean;
  /** @default the real clock */
  readonly clock?: Clock;
  /** A number in [0, 1), for the jitter of waits. @default Math.random */
  readonly random?: () => number;
}

/**
 * A pool of workers. Owns them all.
 *
 * A task is run at most once, unless it is idempotent: when its worker dies, it is rejected with the error of that death.
 */
export class Pool<A> implements TaskPool<A> {
  /** Name for messages. */
  readonly name: string;
  #config: PoolConfig;
  readonly #hasIdempotent: boolean;
  readonly #starter: () => StartWorker<A>;
  #start: StartWorker<A>;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #slots = new Set<PoolSlot<A>>();
  /** Surplus after a change of size: they finish what they do. */
  readonly #retiring = new Set<PoolSlot<A>>();
  /** Those that a reload is about to put in the place of all others. */
  #staged: StagedSlots<A> | null = null;
  #reloading: Promise<unknown> = Promise.resolve();
  readonly #queue = new TaskQueue<PoolTask<A>>();
  readonly #counters = new PoolCounters();
  readonly #leaving = new Set<Promise<void>>();
  readonly #idleWaiters = new Set<() => void>();
  #unsettled = 0;
  #closing: Promise<void> | null = null;
  #stopFailure: { readonly error: unknown } | null = null;

  /** Starts the smallest number of workers at once, without waiting for them. */
  constructor(setup: PoolSetup<A>) {
    this.name = setup.name;
    this.#config = setup.config;
    this.#starter = setup.starter;
    this.#start = setup.starter();
    this.#hasIdempotent = setup.hasIdempotent ?? false;
    this.#clock = setup.clock ?? systemClock();
    this.#random = setup.random ?? Math.random;
    for (let count = 0; count < setup.config.minSize; count++) this.#addSlot();
  }

  execute<T>(work: PoolWork<A, T>, options: TaskOptions = {}): Promise<T> {
    try {
      return this.#enqueue(work, taskOptions(options), this.#config.onQueueFull ?? "wait").result;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  submit<T>(work: PoolWork<A, T>, options: TaskOptions = {}): TaskHandle<T> {
    return this.#enqueue(work, taskOptions(options), this.#config.onQueueFull ?? "reject");
  }

  map<I, T>(
    items: Iterable<I> | AsyncIterable<I>,
    work: (api: A, item: I, index: number, signal: AbortSignal) => T | Promise<T>,
    options: OrderedMapOptions & TaskOptions = {},
  ): AsyncGenerator<T, void, void> {
    const atOnce = this.#config.maxSize * this.#config.tasksAtOnce;
    const { concurrency = atOnce, ...ofTasks } = mapOptions(options);
    const each = (item: I, index: number, signal: AbortSignal) => {
      const run: PoolWork<A, T> = (api, taskSignal) => work(api, item, index, taskSignal);
      return this.#enqueue(run, { ...ofTasks, signal }, "wait").result;
    };
    return orderedMap(items, each, { ...ofTasks, concurrency });
  }

  async resize(size: number | { readonly minSize?: number; readonly maxSize?: number }): Promise<void> {
    const { minSize, maxSize } = poolSizes(size);
    if (this.#closing !== null) throw this.#closedError();
    this.#config = Object.freeze({ ...this.#config, minSize, maxSize });
    await this.#fit();
  }

  reload(): Promise<void> {
    const reloading = this.#reloading.then(() => this.#reload());
    this.#reloading = reloading.catch(() => {});
    return reloading;
  }

  stats(): PoolStats {
    return this.#counters.stats([...this.#slots, ...this.#retiring], this.#queue.size);
  }

  async drain(): Promise<void> {
    while (this.#unsettled > 0) await new Promise<void>((resolve) => this.#idleWaiters.add(resolve));
  }

  revive(): void {
    for (const slot of this.#slots) slot.revive();
  }

  close(options: { readonly drain?: boolean } = {}): Promise<void> {
    const { drain = false } = closeOptions(options);
    return this.#closing ??= this.#close(drain);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(drain: boolean): Promise<void> {
    if (drain) await this.drain();
    const reason = new DisposedError(
      `Cannot run a task on pool "${this.name}" as asked: the pool was closed`,
    );
    this.#rejectQueue(reason);
    for (const slots of [...this.#slots, ...this.#retiring, ...this.#staged === null ? [] : [this.#staged]]) {
      this.#leave(slots.stop(reason));
    }
    await Promise.all(this.#leaving);
    if (this.#stopFailure !== null) throw this.#stopFailure.error;
  }

  async #reload(): Promise<void> {
    if (this.#closing !== null) throw this.#closedError();
    const start = this.#starter();
    const count = Math.max(1, this.#slots.size);
    const staged = new StagedSlots<A>(count, (onChange) => this.#newSlot(start, onChange), this.#onChange);
    this.#staged = staged;
    let fresh: readonly PoolSlot<A>[];
    try {
      fresh = await staged.ready();
    } catch (error) {
      await this.#abandon(staged, error);
      throw error;
    } finally {
      this.#staged = null;
    }
    // Closing has ended them as well; from here on nothing comes in between.
    if (this.#closing !== null) throw this.#closedError();
    this.#start = start;
    const reason = new DisposedError("Cannot use a worker as asked: its pool was reloaded");
    const retired = [...this.#slots].map((slot) => this.#retire(slot, reason));
    for (const slot of fresh) this.#slots.add(slot);
    await Promise.all([...retired, this.#fit()]);
  }

  async #abandon(staged: StagedSlots<A>, reason: unknown): Promise<void> {
    const ended = staged.stop(reason);
    this.#leave(ended);
    await ended.catch(() => {});
  }

  #enqueue<T>(work: PoolWork<A, T>, options: TaskOptions, onFull: OnQueueFull): PoolTask<A, T> {
    const task = this.#task(work, options);
    const refusal = this.#refusal(options, onFull);
    if (refusal !== null) {
      task.reject(refusal.error);
      return task;
    }
    const erased = task as PoolTask<A, unknown>;
    this.#queue.push(erased, task.priority);
    const acquireMs = options.acquireTimeoutMs ?? this.#config.acquireTimeoutMs;
    task.whileQueued(acquireMs, () => this.#starve(erased, acquireMs));
    task.signal.addEventListener("abort", () => void this.#queue.remove(erased), { once: true });
    this.#dispatch();
    return task;
  }

  #task<T>(work: PoolWork<A, T>, options: TaskOptions): PoolTask<A, T> {
    this.#unsettled++;
    return new PoolTask(this.#counters.nextId(), work, {
      clock: this.#clock,
      timeoutMs: options.timeoutMs ?? this.#config.taskTimeoutMs,
      priority: options.priority ?? 0,
      signal: options.signal,
      repeat: options.idempotent === true ? "always" : this.#hasIdempotent ? "by-calls" : "never",
      onSettled: (outcome) => this.#settled(outcome),
    });
  }

  /** Why a new task is not taken; makes room if that is how a full queue is handled. */
  #refusal(options: TaskOptions, onFull: OnQueueFull): { readonly error: unknown } | null {
    if (options.signal?.aborted === true) return { error: options.signal.reason };
    if (this.#closing !== null) return { error: this.#closedError() };
    if (this.#isBroken) return { error: this.#brokenError() };
    const isFull = this.#queue.size >= this.#config.queueSize && !this.#hasRoom;
    if (!isFull || onFull === "wait") return null;
    const error = new PoolSaturatedError(
      `Cannot run a task on pool "${this.name}" as asked: ${this.#queue.size} tasks wait already`,
      { hint: 'Raise "queueSize", add workers, or set onQueueFull to "wait"' },
    );
    const oldest = onFull === "drop-oldest" ? this.#queue.dropOldest() : undefined;
    if (oldest === undefined) return { error };
    this.#counters.dropped++;
    oldest.reject(error);
    return null;
  }

  #dispatch(): void {
    while (this.#queue.size > 0) {
      const slot = this.#leastLoaded();
      if (slot === null) return this.#grow();
      const task = this.#queue.shift();
      if (task !== undefined) slot.run(task);
    }
    this.#shrinkLater();
  }

  #leastLoaded(): PoolSlot<A> | null {
    let best: PoolSlot<A> | null = null;
    for (const slot of this.#slots) {
      if (slot.hasRoom && (best === null || slot.load < best.load)) best = slot;
    }
    return best;
  }

  get #hasRoom(): boolean {
    return this.#slots.size < this.#config.maxSize || this.#leastLoaded() !== null;
  }

  #grow(): void {
    const coming = [...this.#slots].filter((slot) => slot.state === "starting").length;
    const wanted = Math.ceil(this.#queue.size / this.#config.tasksAtOnce) - coming;
    const allowed = this.#config.maxSize - this.#slots.size;
    for (let count = 0; count < Math.min(wanted, allowed); count++) this.#addSlot();
  }

  /** As many workers as the sizes allow; settles when surplus ones have ended. */
  async #fit(): Promise<void> {
    const { minSize, maxSize } = this.#config;
    while (this.#slots.size < minSize) this.#addSlot();
    const surplus = [...this.#slots].sort((a, b) => usefulness(a) - usefulness(b))
      .slice(0, Math.max(0, this.#slots.size - maxSize));
    const reason = new DisposedError("Cannot use a worker as asked: its pool has become smaller");
    const retired = surplus.map((slot) => this.#retire(slot, reason));
    this.#shrinkLater();
    this.#dispatch();
    await Promise.all(retired);
  }

  #shrinkLater(): void {
    if (this.#slots.size <= this.#config.minSize) return;
    for (const slot of this.#slots) slot.whileIdle(this.#config.maxIdleMs, () => this.#shrink(slot));
  }

  #shrink(slot: PoolSlot<A>): void {
    if (this.#slots.size <= this.#config.minSize || slot.load > 0) return;
    this.#slots.delete(slot);
    this.#leave(
      slot.stop(new DisposedError("Cannot use a worker as asked: it was idle and has been stopped")),
    );
  }

  async #retire(slot: PoolSlot<A>, reason: DisposedError): Promise<void> {
    this.#slots.delete(slot);
    this.#retiring.add(slot);
    const retired = slot.retire(reason).finally(() => this.#retiring.delete(slot));
    this.#leave(retired);
    await retired;
  }

  /** A task whose worker died under it goes to the end of its equals. */
  #repeat(task: PoolTask<A>): void {
    if (this.#closing !== null) return task.reject(this.#closedError());
    if (this.#isBroken) return task.reject(this.#brokenError());
    this.#counters.repeated++;
    task.repeat();
    this.#queue.push(task, task.priority);
    this.#dispatch();
  }

  #closedError(): DisposedError {
    return new DisposedError(`Cannot run a task on pool "${this.name}" as asked: the pool is closed`);
  }

  #addSlot(): void {
    this.#slots.add(this.#newSlot(this.#start, this.#onChange));
  }

  #newSlot(start: StartWorker<A>, onChange: SlotContext<A>["onChange"]): PoolSlot<A> {
    return new PoolSlot<A>({
      start,
      config: this.#config,
      clock: this.#clock,
      random: this.#random,
      onRepeat: (task) => this.#repeat(task),
      onChange,
    });
  }

  readonly #onChange: SlotContext<A>["onChange"] = (_slot, change) => {
    this.#counters.count(change);
    if (this.#isBroken) this.#rejectQueue(this.#brokenError());
    else this.#dispatch();
  };

  get #isBroken(): boolean {
    return this.#slots.size > 0 && [...this.#slots].every((slot) => slot.state === "quarantined");
  }

  #brokenError(): PoolBrokenError {
    const cause = [...this.#slots].map((slot) => slot.lastCrash).find((crash) => crash !== undefined);
    const message =
      `Cannot run a task on pool "${this.name}" as asked: all ${this.#slots.size} workers are quarantined`;
    return new PoolBrokenError(message, { cause, hint: "See the cause, then call revive()" });
  }

  #starve(task: PoolTask<A>, acquireMs: number): void {
    this.#counters.starved++;
    task.reject(
      new PoolSaturatedError(
        `Cannot run a task on pool "${this.name}" as asked: no worker was free within ${acquireMs} ms`,
        { hint: "Add workers, or raise acquireTimeoutMs" },
      ),
    );
  }

  #settled(outcome: TaskOutcome): void {
    this.#unsettled--;
    this.#counters.settled(outcome);
    if (this.#unsettled > 0) return;
    for (const wake of [...this.#idleWaiters]) wake();
    this.#idleWaiters.clear();
  }

  #rejectQueue(error: unknown): void {
    for (let task = this.#queue.shift(); task !== undefined; task = this.#queue.shift()) task.reject(error);
  }

  #leave(ending: Promise<void>): void {
    const settled = ending.catch((error) => void (this.#stopFailure ??= { error }))
      .finally(() => this.#leaving.delete(settled));
    this.#leaving.add(settled);
  }
}

/** What is worth least goes first when a pool becomes smaller: what does not work, then what has nothing to do. */
function usefulness({ state, load }: { readonly state: SlotState; readonly load: number }): number {
  const ranks = { stopped: 0, quarantined: 0, restarting: 1, starting: 2, draining: 3, ready: 3 } as const;
  return ranks[state] + load;
}
