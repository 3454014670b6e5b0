/**
 * Keeps a few sandboxes started in advance. Each waits for one plugin under one policy, and is used once.
 *
 * @module
 */

/** A sandbox that waits for its plugin. */
export interface Spare extends AsyncDisposable {
  /** Settles when it has ended. Never rejects. */
  readonly ended: Promise<unknown>;
}

/** Starts one more. Rejects when that fails or `signal` aborts; then nothing is left of it. */
export type StartSpare<S extends Spare> = (signal: AbortSignal) => Promise<S>;

interface Entry<S> {
  readonly key: string;
  readonly started: Promise<S | null>;
}

/** Owns the spares that nobody has taken. Disposing ends them all. */
export class WarmSandboxes<S extends Spare> implements AsyncDisposable {
  readonly #size: number;
  readonly #abort = new AbortController();
  readonly #leaving = new Set<Promise<unknown>>();
  /** Least recently wanted first. */
  #entries: Entry<S>[] = [];
  #disposing: Promise<void> | null = null;

  /** @param size How many it keeps at most, all keys together. */
  constructor(size: number) {
    this.#size = size;
  }

  /** Spares that are ready or on their way. */
  get size(): number {
    return this.#entries.length;
  }

  /**
   * Takes one out; it belongs to the caller from now on.
   *
   * @param key Everything that the sandbox was started with, as text: only an equal one fits.
   * @returns A spare that is alive, or `null`.
   */
  async take(key: string): Promise<S | null> {
    for (;;) {
      const entry = this.#entries.find((one) => one.key === key);
      if (entry === undefined) return null;
      this.#entries = this.#entries.filter((one) => one !== entry);
      const spare = await entry.started;
      if (spare === null) continue;
      if (this.#disposing === null && await isAlive(spare)) return spare;
      await spare[Symbol.asyncDispose]();
    }
  }

  /**
   * Has one ready for next time. What was wanted longest ago makes room.
   *
   * @param key As for `take()`.
   * @param start Starts it. A failure is not told: the start that cannot be avoided will tell its own.
   */
  keep(key: string, start: StartSpare<S>): void {
    if (this.#size === 0 || this.#disposing !== null) return;
    const started = Promise.try(start, this.#abort.signal).catch(() => null);
    this.#entries.push({ key, started });
    while (this.#entries.length > this.#size) {
      const oldest = this.#entries.find((one) => one.key !== key) ?? this.#entries[0];
      this.#entries = this.#entries.filter((one) => one !== oldest);
      if (oldest !== undefined) this.#end(oldest);
    }
  }

  /** Whether another spare for this key would have to end one of the same. */
  isFull(key: string): boolean {
    return this.#entries.filter((one) => one.key === key).length >= this.#size;
  }

  /** Ends all of them. Idempotent. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#disposing ??= this.#dispose();
  }

  async #dispose(): Promise<void> {
    this.#abort.abort(new DOMException("Cannot start a spare sandbox: the host was disposed", "AbortError"));
    for (const entry of this.#entries.splice(0)) this.#end(entry);
    await Promise.all(this.#leaving);
  }

  #end(entry: Entry<S>): void {
    const ended = entry.started.then((spare) => spare?.[Symbol.asyncDispose]())
      .finally(() => this.#leaving.delete(ended));
    this.#leaving.add(ended);
  }
}

/** Whether it has not ended by now. */
function isAlive(spare: Spare): Promise<boolean> {
  return Promise.race([spare.ended.then(() => false), Promise.resolve().then(() => true)]);
}
