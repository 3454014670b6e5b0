/**
 * Time as a dependency, so that tests can turn the clock themselves.
 *
 * @module
 */

/** Reads the time and wakes up later. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * Calls `callback` once, after `delayMs` milliseconds.
   *
   * @returns A function that cancels it; calling that later or twice does nothing.
   */
  after(delayMs: number, callback: () => void): () => void;
}

/**
 * The real clock.
 *
 * @returns A clock whose timers keep the process alive until they have fired or were cancelled.
 *
 * @example
 * ```ts
 * import { systemClock } from "./clock.ts";
 *
 * const cancel = systemClock().after(1_000, () => {});
 * cancel();
 * ```
 */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    after: (delayMs, callback) => {
      const timer = setTimeout(callback, Math.min(delayMs, 2 ** 31 - 1));
      return () => clearTimeout(timer);
    },
  };
}

/**
 * Waits.
 *
 * @param clock The clock to wait by.
 * @param delayMs Milliseconds to wait.
 * @param signal Ends the wait early.
 * @throws The signal's reason, unwrapped, if it aborts first.
 *
 * @example
 * ```ts
 * import { systemClock, wait } from "./clock.ts";
 *
 * await wait(systemClock(), 1);
 * ```
 */
export async function wait(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = () => {
    cancel();
    reject(signal?.reason);
  };
  const cancel = clock.after(delayMs, () => {
    signal?.removeEventListener("abort", onAbort);
    resolve();
  });
  signal?.addEventListener("abort", onAbort, { once: true });
  await promise;
}
