/**
 * Decides whether and when a plugin that died is started again. Pure: time and chance are arguments.
 *
 * @module
 */

import type { BackoffConfig, RestartConfig } from "../config/types.ts";

/** What is remembered of earlier crashes. */
export interface RestartHistory {
  /** Restarts since the plugin was last stable. */
  readonly attempt: number;
  /** Times of the crashes within the window, in milliseconds since the epoch, oldest first. */
  readonly crashes: readonly number[];
}

/** A crash as far as the decision depends on it. */
export interface CrashEvent {
  /** When, in milliseconds since the epoch. */
  readonly at: number;
  /** For how long the process had been ready, in milliseconds; 0 when it never was. */
  readonly ranMs: number;
}

/** What to do now. */
export type RestartDecision =
  | { readonly kind: "restart"; readonly attempt: number; readonly delayMs: number; readonly nextAt: number }
  | { readonly kind: "quarantine"; readonly crashes: number };

/** The history of a plugin that never crashed. */
export const noCrashes: RestartHistory = Object.freeze({ attempt: 0, crashes: Object.freeze([]) });

/**
 * Decides what follows a crash.
 *
 * @param config Backoff, budget and stable time.
 * @param history What {@linkcode restartDecision} returned at the crash before; {@linkcode noCrashes} at the first.
 * @param crash When it was and how long the process had been ready.
 * @param random A number in [0, 1), for the jitter.
 * @returns The decision, and the history to pass next time.
 *
 * @example
 * ```ts
 * import { restartConfig } from "../config/restart.ts";
 * import { noCrashes, restartDecision } from "./restart.ts";
 *
 * const { decision } = restartDecision(restartConfig(true, "restart"), noCrashes, { at: 0, ranMs: 0 }, 0);
 * decision; // { kind: "restart", attempt: 1, delayMs: 100, nextAt: 100 }
 * ```
 */
export function restartDecision(
  config: RestartConfig,
  history: RestartHistory,
  crash: CrashEvent,
  random: number,
): { readonly decision: RestartDecision; readonly history: RestartHistory } {
  const isStable = crash.ranMs >= config.stableMs;
  const recent = isStable ? [] : history.crashes.filter((at) => crash.at - at < config.windowMs);
  const crashes = Object.freeze([...recent, crash.at]);
  if (crashes.length > config.maxRestarts) {
    return { decision: { kind: "quarantine", crashes: crashes.length }, history: noCrashes };
  }
  const attempt = (isStable ? 0 : history.attempt) + 1;
  const delayMs = Math.round(backoffMs(config.backoff, attempt) * (1 + config.jitter * random));
  return {
    decision: { kind: "restart", attempt, delayMs, nextAt: crash.at + delayMs },
    history: Object.freeze({ attempt, crashes }),
  };
}

/**
 * The wait before an attempt, without jitter.
 *
 * @param backoff How waits grow.
 * @param attempt Number of the attempt, from 1.
 * @returns Milliseconds.
 * @throws {RangeError} If a custom function returns anything but a finite number of at least 0.
 */
export function backoffMs(backoff: BackoffConfig, attempt: number): number {
  switch (backoff.kind) {
    case "exponential":
      return Math.min(backoff.maxMs, backoff.initialMs * backoff.factor ** (attempt - 1));
    case "linear":
      return Math.min(backoff.maxMs, backoff.initialMs + backoff.incrementMs * (attempt - 1));
    case "custom": {
      const delayMs = backoff.delayMs(attempt);
      if (Number.isFinite(delayMs) && delayMs >= 0) return delayMs;
      throw new RangeError(`Cannot use the result of the backoff function as milliseconds: it is ${delayMs}`);
    }
  }
}
