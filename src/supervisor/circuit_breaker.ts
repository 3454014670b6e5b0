/**
 * Stops trying something that keeps failing, for a while.
 *
 * @module
 */

import type { Clock } from "../util/clock.ts";

/** Closed: tries are allowed. Open: none until `until`. Half-open: one try decides. */
export type BreakerState =
  | { readonly state: "closed"; readonly failures: number }
  | { readonly state: "open"; readonly until: number }
  | { readonly state: "half-open" };

/** Counts failures in a row and opens when there are too many. */
export class CircuitBreaker {
  readonly #clock: Clock;
  readonly #maxFailures: number;
  readonly #openMs: number;
  #failures = 0;
  #until: number | null = null;
  #isProbing = false;

  /**
   * @param clock What time it is.
   * @param options `maxFailures` in a row that open it, and for how many milliseconds.
   */
  constructor(clock: Clock, options: { readonly maxFailures: number; readonly openMs: number }) {
    this.#clock = clock;
    this.#maxFailures = options.maxFailures;
    this.#openMs = options.openMs;
  }

  /** What it would answer now. */
  get state(): BreakerState {
    if (this.#until === null) return { state: "closed", failures: this.#failures };
    return this.#clock.now() < this.#until ? { state: "open", until: this.#until } : { state: "half-open" };
  }

  /**
   * Asks for a try. Every granted try must be answered by {@linkcode succeed} or {@linkcode fail}.
   *
   * @returns Whether it may be made now.
   */
  tryAcquire(): boolean {
    const { state } = this.state;
    if (state === "closed") return true;
    if (state === "open" || this.#isProbing) return false;
    return this.#isProbing = true;
  }

  /** The try succeeded: everything is forgotten. */
  succeed(): void {
    this.#failures = 0;
    this.#until = null;
    this.#isProbing = false;
  }

  /** The try failed: one more in a row, and the last allowed one opens it. */
  fail(): void {
    this.#failures++;
    if (this.#failures >= this.#maxFailures) {
      this.#until = this.#clock.now() + this.#openMs;
    }
    this.#isProbing = false;
  }
}
