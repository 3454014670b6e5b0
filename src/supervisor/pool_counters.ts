/**
 * Counts what a pool does.
 *
 * @module
 */

import type { PoolStats } from "./pool_types.ts";
import type { TaskOutcome } from "./pool_task.ts";
import type { SlotState } from "./pool_slot.ts";

/** Counters of one pool. */
export class PoolCounters {
  /** Tasks that made room for newer ones. */
  dropped = 0;
  /** Tasks that waited too long. */
  starved = 0;
  /** Tasks that were run once more. */
  repeated = 0;
  #submitted = 0;
  #succeeded = 0;
  #failed = 0;
  #timedOut = 0;
  #executionMs = 0;
  #executed = 0;
  readonly #changes = { ready: 0, released: 0, crashed: 0, restarted: 0, recycled: 0 };

  /** Number of a new task. */
  nextId(): number {
    return ++this.#submitted;
  }

  /** A task settled. */
  settled(outcome: TaskOutcome): void {
    if (outcome.hasSucceeded) this.#succeeded++;
    else this.#failed++;
    if (outcome.hasTimedOut) this.#timedOut++;
    if (outcome.ranMs === null) return;
    this.#executed++;
    this.#executionMs += outcome.ranMs;
  }

  /** Something happened to a slot. */
  count(change: "ready" | "released" | "crashed" | "restarted" | "recycled"): void {
    this.#changes[change]++;
  }

  /** Everything, with the state of the slots as of now. */
  stats(slots: readonly { readonly state: SlotState; readonly load: number }[], queued: number): PoolStats {
    const inState = (state: SlotState) => slots.filter((slot) => slot.state === state).length;
    const busy = slots.filter((slot) => slot.load > 0).length;
    return Object.freeze({
      size: slots.length,
      idle: slots.filter((slot) => slot.state === "ready" && slot.load === 0).length,
      busy,
      starting: inState("starting"),
      restarting: inState("restarting"),
      quarantined: inState("quarantined"),
      queued,
      running: slots.reduce((sum, slot) => sum + slot.load, 0),
      submitted: this.#submitted,
      succeeded: this.#succeeded,
      failed: this.#failed,
      timedOut: this.#timedOut,
      starved: this.starved,
      dropped: this.dropped,
      crashes: this.#changes.crashed,
      restarts: this.#changes.restarted,
      recycled: this.#changes.recycled,
      repeated: this.repeated,
      totalExecutionMs: this.#executionMs,
      averageExecutionMs: this.#executed === 0 ? 0 : this.#executionMs / this.#executed,
    });
  }
}
