/**
 * How a script ended that got a signal and did not listen to it.
 *
 * @module
 */

import type { ExitReport } from "../launcher/types.ts";

/** How `abort()` ends a process that is deaf to SIGABRT: by an instruction that the processor refuses. */
const ABORTS: readonly string[] = Object.freeze(["SIGABRT", "SIGSEGV", "SIGTRAP", "SIGILL"]);

/**
 * A runtime has handlers of its own, which nobody can tell from the script's. Where the script has none it sends itself
 * the signal without a handler, to which the first process of a pid namespace is deaf, and then aborts. Pure.
 *
 * @param report How the script ended.
 * @param handedOn The signal that it had just got; null if it got none.
 * @returns The same, with that signal in the place of the abort.
 */
export function handedOnExit(report: ExitReport, handedOn: Deno.Signal | null): ExitReport {
  if (handedOn === null || !ABORTS.includes(report.signal ?? "") || !isAbort(report)) return report;
  return Object.freeze({ ...report, reason: "signal", signal: handedOn });
}

/** A runtime that ends for want of memory says so; where it does not, some processors' aborts look the same. */
function isAbort({ reason, stderrTail }: ExitReport): boolean {
  return reason === "signal" || (reason === "out-of-memory" && !/memory/i.test(stderrTail));
}
