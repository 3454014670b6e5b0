/**
 * Remembers leases that the sender does not keep any longer and that were not picked up.
 *
 * @module
 */

import { DisposedError } from "../errors.ts";

/** A frame that is older than this many notices is not in any queue any more. */
const MAX_REMEMBERED = 4096;

/** Numbers of leases that may not be used any more. */
export class ExpiredLeases {
  readonly #ids = new Set<number>();

  /** The sender gave notice. */
  add(id: number): void {
    this.#ids.add(id);
    if (this.#ids.size > MAX_REMEMBERED) {
      for (const oldest of this.#ids.values().take(1)) this.#ids.delete(oldest);
    }
  }

  /**
   * Before a lease is used.
   *
   * @param id Its number.
   * @throws {DisposedError} If the sender gave notice.
   */
  check(id: number): void {
    if (!this.#ids.delete(id)) return;
    throw new DisposedError(
      "Cannot receive a tensor as it was not picked up in time: its sender let go of it",
      {
        hint: "Raise retentionMs, or keep the receiver from blocking that long",
      },
    );
  }
}
