/**
 * Slots that come up beside those of a pool, to take their place together.
 *
 * @module
 */

import type { PoolSlot, SlotContext } from "./pool_slot.ts";

type OnChange<A> = SlotContext<A>["onChange"];

/** Workers that nobody gives tasks to until all of them are ready. */
export class StagedSlots<A> {
  readonly #slots: readonly PoolSlot<A>[];
  readonly #ready: Promise<unknown>;
  readonly #stopped = Promise.withResolvers<never>();
  #arePromoted = false;

  /**
   * Starts them at once.
   *
   * @param count How many.
   * @param make Makes one that tells its changes to the function.
   * @param onChange Hears of changes after `ready()`.
   */
  constructor(count: number, make: (onChange: OnChange<A>) => PoolSlot<A>, onChange: OnChange<A>) {
    const ready: Promise<void>[] = [];
    this.#slots = Array.from({ length: count }, () => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      ready.push(promise);
      return make((slot, change) => {
        if (this.#arePromoted) return onChange(slot, change);
        if (change === "ready") resolve();
        // Whoever was ready before comes again by itself.
        else if (change === "crashed") reject(slot.lastCrash);
      });
    });
    this.#ready = Promise.all(ready);
    // Both are for `ready()`, if anybody asks.
    this.#ready.catch(() => {});
    this.#stopped.promise.catch(() => {});
  }

  /**
   * @returns The slots, the caller's from now on, as soon as all were ready.
   * @throws What the first failed with, or the reason of `stop()`; `stop()` is still to be called then.
   */
  async ready(): Promise<readonly PoolSlot<A>[]> {
    await Promise.race([this.#ready, this.#stopped.promise]);
    this.#arePromoted = true;
    return this.#slots;
  }

  /** Ends them all. Settles when nothing is left. Idempotent. */
  async stop(reason: unknown): Promise<void> {
    this.#stopped.reject(reason);
    await Promise.all(this.#slots.map((slot) => slot.stop(reason)));
  }
}
