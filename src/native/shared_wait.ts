/**
 * Waits for any number of descriptors in one thread.
 *
 * The runtime has 32 threads for everything that blocks, files among them: one for each plugin would leave none for the host.
 *
 * @module
 */

import { succeeded } from "./native_failure.ts";
import type { Symbols } from "./symbols.ts";

const READABLE = 1;
const HUNG_UP = 2;

/** Whom to tell. */
interface Waiter {
  readonly resolve: (isReadable: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** Waits as long as somebody wants to know; holds a thread and a descriptor only then. */
export class SharedWait {
  readonly #symbols: Symbols;
  readonly #waiters = new Map<number, Waiter>();
  /** Open while there are waiters. */
  #watch = -1;
  #running: Promise<void> | null = null;

  /** @param symbols The loaded library. */
  constructor(symbols: Symbols) {
    this.#symbols = symbols;
  }

  /** Settles when no thread waits any more; `null` if none does. Until then the library must stay. */
  get pending(): Promise<void> | null {
    return this.#running;
  }

  /**
   * Waits for one descriptor. Whoever wants to close it ends its socket first, which ends the wait.
   *
   * @param fd A socket that nobody waits for.
   * @returns True when there is something to receive, false when the peer is gone.
   * @throws {NativeError} If it cannot be waited for.
   */
  async readable(fd: number): Promise<boolean> {
    const isFirst = this.#watch === -1;
    if (isFirst) this.#watch = succeeded("watch", this.#symbols.cordon_watch_open());
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    try {
      succeeded("watch", this.#symbols.cordon_watch(this.#watch, fd, 1));
    } catch (error) {
      if (isFirst) this.#close();
      throw error;
    }
    this.#waiters.set(fd, { resolve, reject });
    if (isFirst) this.#running = this.#run();
    return await promise;
  }

  async #run(): Promise<void> {
    try {
      while (this.#waiters.size > 0) {
        succeeded("wait", await this.#symbols.cordon_wait_elsewhere(this.#watch, -1));
        for (const [fd, waiter] of this.#waiters) this.#look(fd, waiter);
      }
    } catch (error) {
      for (const { reject } of this.#waiters.values()) reject(error);
      this.#waiters.clear();
    }
    this.#close();
  }

  #look(fd: number, { resolve, reject }: Waiter): void {
    try {
      const state = succeeded("wait", this.#symbols.cordon_wait(fd, 0));
      if ((state & (READABLE | HUNG_UP)) === 0) return;
      this.#waiters.delete(fd);
      succeeded("watch", this.#symbols.cordon_watch(this.#watch, fd, 0));
      resolve((state & READABLE) !== 0);
    } catch (error) {
      this.#waiters.delete(fd);
      reject(error);
    }
  }

  #close(): void {
    succeeded("close", this.#symbols.cordon_close(this.#watch));
    this.#watch = -1;
    this.#running = null;
  }
}
