/**
 * Hands the signals that end this process on to a sandboxed script.
 *
 * @module
 */

import type { LaunchedGuest } from "../launcher/types.ts";
import { signalNumber } from "../util/signals.ts";

/** Whoever still runs after this has not ended of a signal. */
const OUTLIVED_MS = 10_000;

/** What a signal is handed on to. */
export type SignalReceiver = Pick<LaunchedGuest, "guestPid" | "kill">;

/**
 * Listens to signals. Before a guest is attached the first one aborts `signal`. Afterwards it goes to the guest if that
 * listens to it, and otherwise ends it: the first process of a pid namespace is deaf to signals without a handler.
 * A second one always ends it. Disposing stops listening.
 */
export class SignalForwarder implements Disposable {
  readonly #abort = new AbortController();
  readonly #listeners: readonly (readonly [Deno.Signal, () => void])[];
  #guest: SignalReceiver | null = null;
  #received: Deno.Signal | null = null;
  #handedOn: Deno.Signal | null = null;
  #handedOnAt = 0;

  /**
   * @param names Signals to listen to.
   */
  constructor(names: readonly Deno.Signal[]) {
    this.#listeners = names.map((name) => [name, () => this.#receive(name)]);
    for (const [name, listener] of this.#listeners) Deno.addSignalListener(name, listener);
  }

  /** Aborts when a signal arrives before a guest is attached. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The first signal that arrived. */
  get received(): Deno.Signal | null {
    return this.#received;
  }

  /** The signal that the guest has just got; null if none, or one that it has outlived. */
  get handedOn(): Deno.Signal | null {
    return performance.now() - this.#handedOnAt < OUTLIVED_MS ? this.#handedOn : null;
  }

  /**
   * Hand signals on from now on.
   *
   * @param guest Who gets them. It stays the caller's.
   */
  attach(guest: SignalReceiver): void {
    this.#guest = guest;
    if (this.#received !== null) guest.kill("killed-by-host");
  }

  [Symbol.dispose](): void {
    for (const [name, listener] of this.#listeners) Deno.removeSignalListener(name, listener);
  }

  #receive(name: Deno.Signal): void {
    const isFirst = this.#received === null;
    this.#received ??= name;
    if (this.#guest === null) this.#abort.abort(new DOMException(`Ended by ${name}`, "AbortError"));
    else if (isFirst) void this.#handOn(this.#guest, name);
    else this.#guest.kill("killed-by-host");
  }

  /** Never rejects: whatever goes wrong, the guest ends. */
  async #handOn(guest: SignalReceiver, name: Deno.Signal): Promise<void> {
    const pid = await guest.guestPid;
    try {
      if (pid !== null && listensTo(pid, name)) {
        Deno.kill(pid, name);
        this.#handedOn = name;
        this.#handedOnAt = performance.now();
        return;
      }
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
    guest.kill("killed-by-host");
  }
}

/** Bit n − 1 of the mask stands for signal n: proc_pid_status(5). */
function listensTo(pid: number, name: Deno.Signal): boolean {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const mask = BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  const number = signalNumber(name);
  return number !== null && (mask >> BigInt(number - 1) & 1n) === 1n;
}
