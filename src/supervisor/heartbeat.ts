/**
 * Notices that an idle plugin no longer answers.
 *
 * @module
 */

import type { Clock } from "../util/clock.ts";

/** Unanswered questions in a row that mean the plugin is lost. */
const maxMissed = 3;

/** What a heartbeat asks, and whom it tells. */
export interface HeartbeatSetup {
  readonly clock: Clock;
  /** Time between questions in milliseconds. */
  readonly intervalMs: number;
  /** Asks the plugin. Settles when it answers, rejects when it is gone. */
  readonly ping: () => Promise<unknown>;
  /** Whether a call is under way: a plugin that computes does not answer, and need not. */
  readonly isBusy: () => boolean;
  /** Called once, when the plugin is lost. */
  readonly onLost: () => void;
}

/**
 * Asks an idle plugin at intervals whether it is alive.
 *
 * A question that is open while a call begins does not count: the call may keep the plugin busy, and has its own limits.
 *
 * @param setup Whom to ask, how often, whom to tell.
 * @returns Disposing it stops the questions.
 */
export function heartbeat(setup: HeartbeatSetup): Disposable {
  const { clock, intervalMs, ping, isBusy, onLost } = setup;
  let missed = 0;
  let isWaiting = false;
  const stop = (): void => cancel();
  const beat = (): void => {
    if (isBusy()) missed = 0;
    else if (isWaiting) missed++;
    if (missed >= maxMissed) return onLost();
    if (!isWaiting && !isBusy()) {
      isWaiting = true;
      // A peer that is gone is told by its exit, not by this.
      ping().then(() => {
        isWaiting = false;
        missed = 0;
      }, stop);
    }
    cancel = clock.after(intervalMs, beat);
  };
  let cancel = clock.after(intervalMs, beat);
  return { [Symbol.dispose]: stop };
}
