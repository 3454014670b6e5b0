/**
 * Turns a burst of file changes into one reload, after the last of them.
 *
 * @module
 */

import type { DebounceConfig, FileChange } from "../config/types.ts";
import type { Clock } from "../util/clock.ts";

/** Collects changes until they pause. Owns one timer; dispose to drop what was collected. */
export class Debouncer implements Disposable {
  readonly #clock: Clock;
  readonly #config: DebounceConfig;
  readonly #flush: (changes: readonly FileChange[]) => void;
  #changes: FileChange[] = [];
  #cancel: () => void = () => {};

  /**
   * @param clock What time it is.
   * @param config How long to wait after a change.
   * @param flush Gets all changes of a burst, in order. Must not throw.
   */
  constructor(clock: Clock, config: DebounceConfig, flush: (changes: readonly FileChange[]) => void) {
    this.#clock = clock;
    this.#config = config;
    this.#flush = flush;
  }

  /** Adds a change; the wait starts again. */
  push(change: FileChange): void {
    this.#changes.push(change);
    this.#cancel();
    this.#cancel = this.#clock.after(debounceMs(this.#config, this.#changes), () => this.flush());
  }

  /** Delivers what was collected now, if there is something. */
  flush(): void {
    this.#cancel();
    if (this.#changes.length === 0) return;
    const changes = Object.freeze(this.#changes);
    this.#changes = [];
    this.#flush(changes);
  }

  /** Drops what was collected. Idempotent. */
  [Symbol.dispose](): void {
    this.#cancel();
    this.#changes = [];
  }
}

/**
 * The wait after the last of some changes.
 *
 * The adaptive wait is twice the longest pause within the burst: somebody who saves every 300 ms is waited for 600 ms.
 *
 * @param config How to wait.
 * @param changes The burst so far, at least one change.
 * @returns Milliseconds.
 * @throws {RangeError} If a custom function returns anything but a finite number of at least 0.
 */
function debounceMs(config: DebounceConfig, changes: readonly FileChange[]): number {
  switch (config.kind) {
    case "trailing":
      return config.delayMs;
    case "adaptive":
      return Math.min(config.maxMs, Math.max(config.minMs, 2 * longestPauseMs(changes)));
    case "custom": {
      const delayMs = config.delayMs(changes);
      if (Number.isFinite(delayMs) && delayMs >= 0) return delayMs;
      throw new RangeError(
        `Cannot use the result of the debounce function as milliseconds: it is ${delayMs}`,
      );
    }
  }
}

function longestPauseMs(changes: readonly FileChange[]): number {
  let longest = 0;
  let before: FileChange | undefined;
  for (const change of changes) {
    if (before !== undefined) longest = Math.max(longest, change.at - before.at);
    before = change;
  }
  return longest;
}
