/**
 * Tells listeners what happens, without letting one of them break anything.
 *
 * @module
 */

/** Listeners by the name of what they listen to. `E` maps each name to what its listeners get. */
export class Hooks<E extends object> {
  readonly #listeners = new Map<keyof E, Set<(event: never) => unknown>>();
  readonly #onError: (error: unknown, name: keyof E) => void;

  /** @param onError Gets what listeners throw or reject with. Must not throw. */
  constructor(onError: (error: unknown, name: keyof E) => void) {
    this.#onError = onError;
  }

  /**
   * Adds a listener. The same function can be added several times.
   *
   * @param name What to listen to.
   * @param listener Called for each event, in the order of adding. Nobody waits for it.
   * @returns Disposing it removes the listener. Idempotent.
   */
  on<K extends keyof E>(name: K, listener: (event: E[K]) => unknown): Disposable {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    const own = (event: E[K]) => listener(event);
    listeners.add(own as (event: never) => unknown);
    return { [Symbol.dispose]: () => void listeners.delete(own as (event: never) => unknown) };
  }

  /** Whether anybody listens: an event that costs something to make need not be made for nobody. */
  has(name: keyof E): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0;
  }

  /** Tells all listeners that were there before the call. Never throws. */
  emit<K extends keyof E>(name: K, event: E[K]): void {
    for (const listener of [...this.#listeners.get(name) ?? []]) {
      try {
        const result = (listener as (event: E[K]) => unknown)(event);
        if (result instanceof Promise) result.catch((error) => this.#onError(error, name));
      } catch (error) {
        this.#onError(error, name);
      }
    }
  }
}
