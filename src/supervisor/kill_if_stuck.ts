/**
 * Makes a timeout hold against a plugin that does not let go.
 *
 * @module
 */

import type { GenerationProcess } from "./plugin_process.ts";

/**
 * Kills a process that does not even answer a ping after one of its calls was given up.
 *
 * A process that other calls are waiting for may be computing for one of them: it is left to their limits, and looked at
 * again.
 *
 * @param process The process.
 * @param graceMs How long it has to answer, in milliseconds.
 */
export async function killIfStuck(process: GenerationProcess, graceMs: number): Promise<void> {
  const { guest, session } = process.generation.sandbox;
  let isOver = false;
  const over = Promise.race([session.ping(), process.exited, session.closed]).then(
    () => isOver = true,
    () => isOver = true,
  );
  while (!isOver) {
    await Promise.race([over, pause(graceMs, over)]);
    if (!isOver && !process.isBusy && !process.isAsking) {
      guest.kill("wall-timeout");
      break;
    }
  }
}

/** Settles after some time; its timer goes when `over` settles. */
function pause(ms: number, over: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void over.then(() => clearTimeout(timer));
  });
}
