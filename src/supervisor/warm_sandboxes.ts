/**
 * Keeps a few sandboxes started in advance. Each waits for one plugin under one policy, and is used once.
 *
 * @module
 */

import type { Clock } from "../util/clock.ts";

/** A start takes the thread for milliseconds that whoever has just loaded a plugin wants for its first calls. */
const START_DELAY_MS = 30;

/** A sandbox that waits for its plugin. */
export interface Spare extends AsyncDisposable {
  /** Settles when it has ended. Never rejects. */
  readonly ended: Promise<unknown>;
}

/** Starts one more. Rejects when that fails or `signal` aborts; then nothing is left of it. */
export type StartSpare<S extends Spare> = (signal: AbortSignal) => Promise<S>;

interface Entry<S> {
  readonly key: string;
  /** Asked for by somebody: it makes no room for others, and does not count against the size. */
  readonly isPinned: boolean;
  /** Null: its start failed, or was called off. */
  readonly started: Promise<S | null>;
  /** Calls it off if it has not begun. */
  cancel(): void;
}

/** Owns the spares that nobody has taken. Disposing ends them all. */
export class WarmSandboxes<S extends Spare> implements AsyncDisposable {
  readonly #size: number;
  readonly #clock: Clock;
  readonly #abort = new AbortController();
  readonly #leaving = new Set<Promise<unknown>>();
  /** Least recently wanted first. */
  #entries: Entry<S>[] = [];
  #disposing: Promise<void> | null = null;

  /** @param size How many it keeps by itself at most, all keys together. */
  constructor(size: number, clock: Clock) {
    this.#size = size;
    this.#clock = clock;
  }

  /** Spares that are ready or on their way. */
  get size(): number {
    return this.#entries.length;
  }

  /**
   * Takes one out; it belongs to the caller from now on.
   *
   * @param key Everything that the sandbox was started with, as text: only an equal one fits.
   * @returns A spare that is alive, or `null`. One whose start has not begun is none: the caller's own is as fast.
   */
  async take(key: string): Promise<S | null> {
    for (;;) {
      const entry = this.#entries.find((one) => one.key === key);
      if (entry === undefined) return null;
      this.#forget(entry);
      entry.cancel();
      const spare = await entry.started;
      if (spare === null) continue;
      if (this.#disposing === null && await isAlive(spare)) return spare;
      await spare[Symbol.asyncDispose]();
    }
  }

  /**
   * Has one ready for next time, started in a moment. What was wanted longest ago makes room.
   *
   * @param key As for `take()`.
   * @param start Starts it. A failure is not told: the start that cannot be avoided will tell its own.
   */
  keep(key: string, start: StartSpare<S>): void {
    if (this.#size === 0 || this.#disposing !== null) return;
    const begun = Promise.withResolvers<boolean>();
    const cancelTimer = this.#clock.after(START_DELAY_MS, () => begun.resolve(true));
    const started = begun.promise.then((isWanted) => isWanted ? start(this.#abort.signal) : null)
      .catch(() => null);
    const cancel = (): void => {
      cancelTimer();
      begun.resolve(false);
    };
    this.#entries.push({ key, isPinned: false, started, cancel });
    for (;;) {
      const own = this.#entries.filter((one) => !one.isPinned);
      if (own.length <= this.#size) return;
      this.#end(own.find((one) => one.key !== key) ?? own[0]!);
    }
  }

  /**
   * Takes over a spare that somebody asked for.
   *
   * @param key As for `take()`.
   * @param spare Started; owned from now on.
   * @returns Disposing it ends the spare, unless it was taken.
   * @throws The reason of the disposal, if there is one; the spare is ended then.
   */
  async add(key: string, spare: S): Promise<AsyncDisposable> {
    if (this.#disposing !== null) {
      await spare[Symbol.asyncDispose]();
      throw this.#abort.signal.reason;
    }
    const entry: Entry<S> = { key, isPinned: true, started: Promise.resolve(spare), cancel: () => {} };
    this.#entries.push(entry);
    return {
      [Symbol.asyncDispose]: async () => {
        if (!this.#entries.includes(entry)) return;
        this.#forget(entry);
        await spare[Symbol.asyncDispose]();
      },
    };
  }

  /** Whether another spare for this key would have to end one of the same. */
  isFull(key: string): boolean {
    return this.#entries.filter((one) => one.key === key && !one.isPinned).length >= this.#size;
  }

  /** Ends all of them. Idempotent. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#disposing ??= this.#dispose();
  }

  async #dispose(): Promise<void> {
    this.#abort.abort(new DOMException("Cannot start a spare sandbox: the host was disposed", "AbortError"));
    for (const entry of [...this.#entries]) this.#end(entry);
    await Promise.all(this.#leaving);
  }

  #forget(entry: Entry<S>): void {
    this.#entries = this.#entries.filter((one) => one !== entry);
  }

  #end(entry: Entry<S>): void {
    this.#forget(entry);
    entry.cancel();
    const ended = entry.started.then((spare) => spare?.[Symbol.asyncDispose]())
      .finally(() => this.#leaving.delete(ended));
    this.#leaving.add(ended);
  }
}

/** Whether it has not ended by now. */
function isAlive(spare: Spare): Promise<boolean> {
  return Promise.race([spare.ended.then(() => false), Promise.resolve().then(() => true)]);
}
