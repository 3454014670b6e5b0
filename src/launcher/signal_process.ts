/**
 * Signals to processes that may be gone.
 *
 * @module
 */

/**
 * Send a signal to a process that is, or was until now, a descendant that nobody has waited for.
 *
 * @param pid Its pid.
 * @param signal The signal.
 */
export function signalProcess(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    // It ended in this moment.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
