/**
 * A stream of a plugin whose reading is watched: each wait for an item, and the end.
 *
 * @module
 */

/** Who watches. */
export interface StreamWatch {
  /** Called once, before the first item is asked for. */
  readonly onBegin: () => void;
  /** Sees each wait for an item and gives what the reader gets. */
  readonly onWait: <T>(item: Promise<T>) => Promise<T>;
  /** Called once, if it began: with what it failed with, or `null`. `isDone` is false when the reader left early. */
  readonly onEnd: (error: unknown, isDone: boolean) => void;
}

/**
 * Watch a stream.
 *
 * @param items The stream; owned by the result from now on.
 * @param watch Told about it.
 * @returns The same items.
 */
export function watchedStream(
  items: AsyncIterableIterator<unknown, unknown>,
  watch: StreamWatch,
): AsyncIterableIterator<unknown, unknown> & AsyncDisposable {
  return new WatchedStream(items, watch);
}

class WatchedStream implements AsyncIterableIterator<unknown, unknown>, AsyncDisposable {
  readonly #items: AsyncIterableIterator<unknown, unknown>;
  readonly #watch: StreamWatch;
  #state: "new" | "open" | "over" = "new";

  constructor(items: AsyncIterableIterator<unknown, unknown>, watch: StreamWatch) {
    this.#items = items;
    this.#watch = watch;
  }

  async next(): Promise<IteratorResult<unknown, unknown>> {
    if (this.#state === "new") {
      this.#state = "open";
      this.#watch.onBegin();
    }
    try {
      const wait = this.#items.next();
      const step = await (this.#state === "open" ? this.#watch.onWait(wait) : wait);
      if (step.done === true) this.#end(null, true);
      return step;
    } catch (error) {
      this.#end(error, true);
      throw error;
    }
  }

  async return(value?: unknown): Promise<IteratorResult<unknown, unknown>> {
    const result = await this.#items.return?.(value) ?? { done: true, value };
    this.#end(null, false);
    return result;
  }

  async throw(error?: unknown): Promise<IteratorResult<unknown, unknown>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #end(error: unknown, isDone: boolean): void {
    const hasBegun = this.#state === "open";
    this.#state = "over";
    if (hasBegun) this.#watch.onEnd(error, isDone);
  }
}
