/**
 * Decides how long a buffer that grew for one large frame is kept for the next.
 *
 * @module
 */

/** Small uses in a row after which a large buffer is given back. */
const PATIENCE = 64;

/**
 * Memory that was touched before is several times faster than fresh memory, but an idle connection should hold little
 * of it: a large buffer stays while at least one use in 64 needs it.
 */
export class WarmBuffer {
  readonly #smallBytes: number;
  #patience = 0;

  /**
   * For one buffer that grows on demand.
   *
   * @param smallBytes Up to this size a buffer is always kept.
   */
  constructor(smallBytes: number) {
    this.#smallBytes = smallBytes;
  }

  /**
   * Note a use.
   *
   * @param usedBytes How much of the buffer was used.
   * @param capacity Size of the buffer.
   * @returns Whether to keep it; otherwise take a small one from now on.
   */
  keeps(usedBytes: number, capacity: number): boolean {
    if (capacity <= this.#smallBytes) return true;
    if (usedBytes > this.#smallBytes) this.#patience = PATIENCE;
    else this.#patience--;
    return this.#patience > 0;
  }
}
