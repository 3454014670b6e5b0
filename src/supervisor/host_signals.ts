/**
 * Ends a host in order when this process is told to end.
 *
 * @module
 */

import { ENDING_SIGNALS } from "../util/signals.ts";

/**
 * Listens to the signals that end a program. The first one ends the host; then the process ends as it would have without
 * this. Others that come meanwhile change nothing, as the end of a host is bounded. Disposing stops listening.
 */
export class HostSignals implements Disposable {
  readonly #listeners: ReadonlyMap<Deno.Signal, () => void>;
  readonly #end: () => Promise<void>;
  readonly #taken: Deno.Signal[] = [];
  #isEnding = false;

  /** @param end Ends the host. Idempotent. */
  constructor(end: () => Promise<void>) {
    this.#end = end;
    this.#listeners = new Map(ENDING_SIGNALS.map((name) => [name, () => this.#receive(name)]));
    for (const [name, listener] of this.#listeners) Deno.addSignalListener(name, listener);
  }

  /**
   * Leaves signals to somebody else.
   *
   * @param names Which.
   * @returns Disposing it takes them back.
   */
  without(names: readonly Deno.Signal[]): Disposable {
    this.#taken.push(...names);
    return {
      [Symbol.dispose]: () => {
        for (const name of names) this.#taken.splice(this.#taken.indexOf(name), 1);
      },
    };
  }

  [Symbol.dispose](): void {
    for (const [name, listener] of this.#listeners) Deno.removeSignalListener(name, listener);
  }

  #receive(name: Deno.Signal): void {
    if (this.#isEnding || this.#taken.includes(name)) return;
    this.#isEnding = true;
    // Nobody listens any more, unless the program does itself: then it decides.
    void this.#end().finally(() => Deno.kill(Deno.pid, name));
  }
}
