/**
 * Signals of Linux and their numbers.
 *
 * @module
 */

/** Signals by which a person or a supervisor ends a program. */
export const ENDING_SIGNALS: readonly Deno.Signal[] = Object.freeze(["SIGINT", "SIGTERM", "SIGHUP"]);

/** From signal(7), in the order of their numbers, which begin with 1. */
const NAMES: readonly string[] = Object.freeze(
  ("SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE SIGALRM SIGTERM " +
    "SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ SIGVTALRM SIGPROF SIGWINCH " +
    "SIGIO SIGPWR SIGSYS").split(" "),
);

/**
 * The number of a signal.
 *
 * @param name Such as `"SIGTERM"`.
 * @returns Such as 15; null for a name that is not known.
 *
 * @example
 * ```ts
 * import { signalNumber } from "./signals.ts";
 *
 * signalNumber("SIGTERM"); // 15
 * ```
 */
export function signalNumber(name: string): number | null {
  const index = NAMES.indexOf(name);
  return index === -1 ? null : index + 1;
}

/**
 * The name of a signal.
 *
 * @param number Such as 15.
 * @returns Such as `"SIGTERM"`; null for a number that is not known.
 *
 * @example
 * ```ts
 * import { signalName } from "./signals.ts";
 *
 * signalName(15); // "SIGTERM"
 * ```
 */
export function signalName(number: number): string | null {
  return NAMES[number - 1] ?? null;
}

/**
 * The exit code of a program that ends because another one, or itself, was ended by a signal.
 *
 * @param name Name of the signal.
 * @returns 128 and its number, as shells have it; 128 for a signal that is not known.
 *
 * @example
 * ```ts
 * import { signalExitCode } from "./signals.ts";
 *
 * signalExitCode("SIGKILL"); // 137
 * ```
 */
export function signalExitCode(name: string): number {
  return 128 + (signalNumber(name) ?? 0);
}
