/**
 * Looks for messages from time to time.
 *
 * Waiting in another thread would keep a script alive whose work is done, and nothing here is urgent: messages for which
 * somebody waits are read at once.
 *
 * @module
 */

import type { Clock } from "./types.ts";

const SOONEST_MS = 4;
const LATEST_BUSY_MS = 128;
const LATEST_IDLE_MS = 1024;

/** What a look found. */
export type Outlook = "busy" | "idle" | "over";

/** Looks less and less often, and least often when nothing is expected. */
export class Lookout {
  readonly #clock: Clock;
  readonly #look: () => Outlook;
  #delayMs = SOONEST_MS;
  #cancel: (() => void) | null = null;

  /**
   * @param clock Time.
   * @param look Reads what there is, and says whether more is expected.
   */
  constructor(clock: Clock, look: () => Outlook) {
    this.#clock = clock;
    this.#look = look;
  }

  /** Something happened: look again soon. */
  alert(): void {
    this.#delayMs = SOONEST_MS;
    this.#later();
  }

  /** Look no more. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  #later(): void {
    this.#cancel ??= this.#clock.schedule(this.#delayMs, () => {
      this.#cancel = null;
      const outlook = this.#look();
      if (outlook === "over") return;
      this.#delayMs = Math.min(this.#delayMs * 2, outlook === "idle" ? LATEST_IDLE_MS : LATEST_BUSY_MS);
      this.#later();
    });
  }
}
