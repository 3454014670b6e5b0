/**
 * The life of one plugin over many processes: starts the next when one dies, is asked to restart, or is replaced.
 *
 * @module
 */

import type { RestartConfig } from "../config/types.ts";
import { DisposedError } from "../errors.ts";
import type { Clock } from "../util/clock.ts";
import { crashError } from "./crash_error.ts";
import { noCrashes, restartDecision, type RestartHistory } from "./restart.ts";
import { startFailureFacts } from "./start_failure_facts.ts";
import type { ExitFacts, PluginStatus, RunningFacts } from "./status.ts";
import { StatusTracker } from "./status_tracker.ts";

/** One process of a plugin, ready for calls. Owned by its lifecycle. */
export interface PluginProcess {
  readonly facts: RunningFacts;
  /** Settles when nothing of it is left. Never rejects. */
  readonly exited: Promise<ExitFacts>;
  /** Lets it finish what it does and ends it, by force if it does not. Idempotent; rejects if something of it is left. */
  retire(): Promise<void>;
  /** Ends it without waiting for what it does. As `retire()` otherwise. */
  stop(): Promise<void>;
}

/** Starts the process of a generation. Rejects when that fails or `signal` aborts; then nothing is left of it. */
export type StartProcess<P extends PluginProcess> = (generation: number, signal: AbortSignal) => Promise<P>;

/** What a lifecycle takes from its surroundings. */
export interface LifecycleSetup<P extends PluginProcess> {
  /** Name for messages. */
  readonly name: string;
  readonly restart: RestartConfig;
  readonly start: StartProcess<P>;
  readonly clock: Clock;
  /** A number in [0, 1), for the jitter of waits. */
  readonly random: () => number;
  /** Called with each new process before any call reaches it. Must not throw. */
  readonly onProcess: (process: P) => void;
}

/** Owns the processes of one plugin, one after the other. `stop()` ends it. */
export class Lifecycle<P extends PluginProcess> {
  readonly #setup: LifecycleSetup<P>;
  readonly #tracker: StatusTracker;
  readonly #stopped = new AbortController();
  /** Everything that has to settle before nothing is left. */
  readonly #leaving = new Set<Promise<unknown>>();
  #current: P | null = null;
  #history: RestartHistory = noCrashes;
  #lastError: unknown = null;
  #cancelTimer: () => void = () => {};
  #starting: Promise<void> | null = null;
  #restarting: Promise<void> | null = null;
  #replacing: Promise<void> | null = null;
  #stopping: Promise<void> | null = null;
  #stopFailure: { readonly error: unknown } | null = null;

  /** @param first The first process, ready. Owned by the lifecycle from now on. */
  constructor(setup: LifecycleSetup<P>, first: P) {
    this.#setup = setup;
    this.#tracker = new StatusTracker(setup.clock.now());
    this.#adopt(first, 1);
  }

  /** The state now. */
  get status(): PluginStatus {
    return this.#tracker.current;
  }

  /** The process that answers calls; `null` when there is none right now. */
  get current(): P | null {
    return this.#current;
  }

  /** See {@linkcode StatusTracker.changes}. */
  changes(signal?: AbortSignal): AsyncGenerator<PluginStatus, void, void> {
    return this.#tracker.changes(signal);
  }

  /** See {@linkcode StatusTracker.onChange}. */
  onChange(listener: (status: PluginStatus) => void): () => void {
    return this.#tracker.onChange(listener);
  }

  /**
   * The process that answers calls, as soon as there is one.
   *
   * @param signal Ends the wait.
   * @throws {PluginCrashedError | LaunchError} If the last process died, or could not be started, and no other will be.
   * @throws {DisposedError} If the plugin was stopped.
   * @throws The signal's reason, unwrapped, if it aborts first.
   */
  async ready(signal?: AbortSignal): Promise<P> {
    for (;;) {
      signal?.throwIfAborted();
      if (this.#current !== null) return this.#current;
      const { state } = this.status;
      if (state === "terminated") throw this.#goneError();
      if (state === "crashed" || state === "quarantined") throw this.#lastError;
      await this.#nextChange(signal);
    }
  }

  /**
   * Ends the current process and starts another one. Calls of this while it is at work share its outcome.
   *
   * @throws {LaunchError} If the new process could not be started.
   * @throws {DisposedError} If the plugin was stopped.
   */
  restart(): Promise<void> {
    if (this.#restarting !== null) return this.#restarting;
    this.#restarting = this.#restart().finally(() => this.#restarting = null);
    this.#track(this.#restarting);
    return this.#restarting;
  }

  /**
   * Starts another process beside the current one and switches to it. Calls in flight finish on the old one.
   *
   * @param start Starts the new process. The current one goes on whatever happens here.
   * @param handOver Called with both when the new one is ready, before the switch; a rejection calls it off.
   * @throws Whatever `start` or `handOver` reject with; then the current process is untouched.
   * @throws {DisposedError} If the plugin was stopped.
   */
  replace(start: StartProcess<P>, handOver?: (old: P | null, next: P) => Promise<void>): Promise<void> {
    const before = this.#replacing ?? Promise.resolve();
    const replaced = before.then(() => {}, () => {}).then(() => this.#replace(start, handOver));
    this.#track(replaced);
    return this.#replacing = replaced;
  }

  /**
   * Ends it for good. Idempotent. Settles when nothing goes on; rejects with the first error of a process that could not
   * be cleaned up after.
   */
  stop(): Promise<void> {
    return this.#stopping ??= this.#stop();
  }

  async #stop(): Promise<void> {
    this.#cancelTimer();
    this.#stopped.abort(this.#goneError());
    const process = this.#current;
    const exitCode = process === null ? null : await this.#retired(process);
    this.#current = null;
    this.#tracker.apply({ kind: "terminate", exitCode, at: this.#now() });
    while (this.#leaving.size > 0) await Promise.allSettled(this.#leaving);
    if (this.#stopFailure !== null) throw this.#stopFailure.error;
  }

  async #retired(process: P): Promise<number | null> {
    await this.#ended(process.stop());
    return (await process.exited).exitCode;
  }

  #adopt(process: P, generation: number): void {
    this.#current = process;
    this.#setup.onProcess(process);
    this.#tracker.apply({ kind: "ready", generation, at: this.#now(), ...process.facts });
    const readyAt = this.#now();
    this.#track(process.exited.then((exit) => this.#exited(process, generation, exit, readyAt)));
  }

  #exited(process: P, generation: number, exit: ExitFacts, readyAt: number): void {
    this.#track(this.#ended(process.stop()));
    if (this.#current !== process || this.#stopping !== null) return;
    this.#current = null;
    this.#lastError = crashError(this.#setup.name, exit);
    this.#tracker.apply({ kind: "exit", generation, at: this.#now(), ...exit });
    this.#afterCrash(this.#now() - readyAt);
  }

  /** What follows a crash; nothing if it was no crash. */
  #afterCrash(ranMs: number): void {
    const { clock, random, restart } = this.#setup;
    if (this.status.state !== "crashed" || !restart.isEnabled || this.#stopping !== null) return;
    const at = this.#now();
    const { decision, history } = restartDecision(restart, this.#history, { at, ranMs }, random());
    this.#history = history;
    if (decision.kind === "quarantine") {
      this.#tracker.apply({ kind: "quarantine", crashes: decision.crashes, at });
      return;
    }
    this.#tracker.apply({ kind: "restart", attempt: decision.attempt, nextAt: decision.nextAt, at });
    // The failure of a start is told by the state, to whoever waits for it.
    this.#cancelTimer = clock.after(decision.delayMs, () => this.#track(this.#startNext()));
  }

  async #restart(): Promise<void> {
    if (this.status.state === "terminated" || this.#stopping !== null) throw this.#goneError();
    if (this.status.state === "starting") return await this.#starting ?? undefined;
    this.#cancelTimer();
    this.#history = noCrashes;
    const old = this.#current;
    this.#current = null;
    this.#tracker.apply({ kind: "restart", attempt: 0, nextAt: this.#now(), at: this.#now() });
    if (old !== null) await this.#ended(old.retire());
    await this.#startNext();
  }

  #startNext(): Promise<void> {
    return this.#starting ??= this.#start().finally(() => this.#starting = null);
  }

  async #start(): Promise<void> {
    if (this.#stopping !== null) throw this.#goneError();
    this.#cancelTimer();
    this.#tracker.apply({ kind: "start", at: this.#now() });
    const { generation } = this.status;
    try {
      const process = await this.#setup.start(generation, this.#stopped.signal);
      if (this.#stopping !== null) return await this.#discard(process);
      this.#adopt(process, generation);
    } catch (error) {
      if (this.#stopping !== null) throw this.#goneError();
      this.#lastError = error;
      this.#tracker.apply({ kind: "exit", generation, at: this.#now(), ...startFailureFacts(error) });
      this.#afterCrash(0);
      throw error;
    }
  }

  async #replace(
    start: StartProcess<P>,
    handOver?: (old: P | null, next: P) => Promise<void>,
  ): Promise<void> {
    if (this.#stopping !== null) throw this.#goneError();
    const next = await start(this.status.generation + 1, this.#stopped.signal);
    try {
      await handOver?.(this.#current, next);
      // A start that is under way would otherwise become the second current process.
      await this.#starting?.catch(() => {});
    } catch (error) {
      await this.#ended(next.stop());
      throw error;
    }
    if (this.#stopping !== null) return await this.#discard(next);
    this.#switchTo(next);
  }

  #switchTo(next: P): void {
    const old = this.#current;
    const at = this.#now();
    this.#cancelTimer();
    this.#history = noCrashes;
    if (this.status.state !== "running") {
      this.#tracker.apply({ kind: "restart", attempt: 0, nextAt: at, at });
      this.#tracker.apply({ kind: "start", at });
      this.#adopt(next, this.status.generation);
    } else {
      this.#adopt(next, this.status.generation + 1);
    }
    if (old !== null) this.#track(this.#ended(old.retire()));
  }

  async #discard(process: P): Promise<never> {
    await this.#ended(process.stop());
    throw this.#goneError();
  }

  /** What one process leaves behind keeps the next from nothing: it is told at the end, by `stop()`. */
  async #ended(ending: Promise<void>): Promise<void> {
    await ending.catch((error) => void (this.#stopFailure ??= { error }));
  }

  async #nextChange(signal?: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => resolve();
    const off = this.#tracker.onChange(wake);
    signal?.addEventListener("abort", wake);
    try {
      await promise;
    } finally {
      off();
      signal?.removeEventListener("abort", wake);
    }
  }

  #goneError(): DisposedError {
    return new DisposedError(`Cannot call plugin "${this.#setup.name}": it was stopped`);
  }

  #now(): number {
    return this.#setup.clock.now();
  }

  #track(work: Promise<unknown>): void {
    const settled = work.catch(() => {}).finally(() => this.#leaving.delete(settled));
    this.#leaving.add(settled);
  }
}
