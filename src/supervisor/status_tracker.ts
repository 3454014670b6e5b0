/**
 * Keeps the state of one plugin and tells everybody who listens about each change.
 *
 * @module
 */

import { initialStatus, type PluginStatus, type StatusEvent, transition } from "./status.ts";

/** A reader that is this many changes behind loses the oldest. */
const maxBacklog = 256;

/** The current state of one plugin, and its changes. */
export class StatusTracker {
  #current: PluginStatus;
  readonly #readers = new Set<(status: PluginStatus) => void>();

  /** @param at When the plugin began, in milliseconds since the epoch. */
  constructor(at: number) {
    this.#current = initialStatus(at);
  }

  /** The state now. */
  get current(): PluginStatus {
    return this.#current;
  }

  /**
   * Applies an event.
   *
   * @param event What happened.
   * @returns Whether the state changed.
   * @throws {TypeError} If the event cannot happen in this state.
   */
  apply(event: StatusEvent): boolean {
    const next = transition(this.#current, event);
    if (next === this.#current) return false;
    this.#current = next;
    for (const reader of [...this.#readers]) reader(next);
    return true;
  }

  /**
   * The current state at the first read, then every change, in order; ends after `terminated`. Leaving the loop frees the
   * reader.
   *
   * @param signal Ends the iteration without an error.
   * @returns One state after the other. A reader that is far behind loses the oldest.
   */
  async *changes(signal?: AbortSignal): AsyncGenerator<PluginStatus, void, void> {
    const backlog: PluginStatus[] = [this.#current];
    let wake = Promise.withResolvers<void>();
    const reader = (status: PluginStatus) => {
      backlog.push(status);
      if (backlog.length > maxBacklog) backlog.shift();
      wake.resolve();
    };
    const onAbort = () => wake.resolve();
    this.#readers.add(reader);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      while (!signal?.aborted) {
        const next = backlog.shift();
        if (next !== undefined) {
          yield next;
          if (next.state === "terminated") return;
          continue;
        }
        await wake.promise;
        wake = Promise.withResolvers<void>();
      }
    } finally {
      this.#readers.delete(reader);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Calls `listener` with each change until the returned function is called. The listener must not throw. */
  onChange(listener: (status: PluginStatus) => void): () => void {
    const own = (status: PluginStatus) => listener(status);
    this.#readers.add(own);
    return () => void this.#readers.delete(own);
  }
}
