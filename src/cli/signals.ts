/**
 * Signals that end a command.
 *
 * @module
 */

import { ENDING_SIGNALS } from "../util/signals.ts";

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
