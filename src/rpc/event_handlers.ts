/**
 * Named events and who listens to them.
 *
 * @module
 */

/** Receives the payload of an event. */
export type EventHandler = (payload: unknown) => unknown;

/** The event handlers of one session. */
export class EventHandlers {
  readonly #handlers = new Map<string, Set<EventHandler>>();
  readonly #failed: (error: unknown, where: string) => void;
  #unheard = 0;

  /**
   * @param failed Told when a handler throws or rejects.
   */
  constructor(failed: (error: unknown, where: string) => void) {
    this.#failed = failed;
  }

  /** Events that had no handler. */
  get unheard(): number {
    return this.#unheard;
  }

  /**
   * Listen to an event. The same function can be added several times.
   *
   * @param name Name of the event.
   * @param handler Called with each payload, in the order of arrival.
   * @returns Disposing it removes the handler.
   */
  add(name: string, handler: EventHandler): Disposable {
    const handlers = this.#handlers.get(name) ?? new Set();
    this.#handlers.set(name, handlers);
    const own: EventHandler = (payload) => handler(payload);
    handlers.add(own);
    return { [Symbol.dispose]: () => this.#remove(name, handlers, own) };
  }

  /**
   * Whether anybody listens.
   *
   * @param name Name that the peer gave.
   */
  isHeard(name: string): boolean {
    return this.#handlers.has(name);
  }

  /** An event arrived that nobody listens to. */
  missed(): void {
    this.#unheard++;
  }

  /**
   * An event arrived.
   *
   * @param name Name that the peer gave.
   * @param payload Revived.
   */
  dispatch(name: string, payload: unknown): void {
    for (const handler of [...this.#handlers.get(name) ?? []]) void this.#run(name, handler, payload);
  }

  #remove(name: string, handlers: Set<EventHandler>, own: EventHandler): void {
    if (handlers.delete(own) && handlers.size === 0) this.#handlers.delete(name);
  }

  async #run(name: string, handler: EventHandler, payload: unknown): Promise<void> {
    try {
      await handler(payload);
    } catch (error) {
      this.#failed(error, `handler of event "${name}"`);
    }
  }
}
