/**
 * Signals that end a command, and their numbers.
 *
 * @module
 */

/** Numbers on Linux, from signal(7). */
const NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGSYS: 31,
};

/** Signals by which a person or a supervisor ends a program. */
export const ENDING_SIGNALS: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** The number that an unknown signal counts as: SIGKILL's. */
const UNKNOWN = 9;

/**
 * The number of a signal.
 *
 * @param name Such as `"SIGTERM"`.
 * @returns Such as 15.
 */
export function signalNumber(name: string): number {
  return NUMBERS[name] ?? UNKNOWN;
}

/** Signals that arrived while a command ran. Disposing stops listening. */
export interface EndingSignals extends Disposable {
  /** Aborts when the first one arrives. */
  readonly signal: AbortSignal;
  /** The first one that arrived. */
  readonly received: Deno.Signal | null;
}

/**
 * Listen to the signals that end a program.
 *
 * @param ended Receives the first one. @default aborting `signal`, and nothing else
 * @returns What arrived. The caller disposes it.
 */
export function endingSignals(ended: (name: Deno.Signal) => void = () => {}): EndingSignals {
  const controller = new AbortController();
  let received: Deno.Signal | null = null;
  const listeners = ENDING_SIGNALS.map((name) => {
    const listener = (): void => {
      received ??= name;
      ended(name);
      controller.abort(new DOMException(`Ended by ${name}`, "AbortError"));
    };
    Deno.addSignalListener(name, listener);
    return { name, listener };
  });
  return {
    signal: controller.signal,
    get received() {
      return received;
    },
    [Symbol.dispose]() {
      for (const { name, listener } of listeners) Deno.removeSignalListener(name, listener);
    },
  };
}
