/**
 * A stream that a call returns, usable before the call is answered.
 *
 * @module
 */

/**
 * An iterator over what a call will return.
 *
 * @param open Makes the call: once, at the first `next()`. The signal aborts when reading ends before the answer.
 * @param describe Name of the call, for messages.
 * @param signal Ends the stream: reading rejects with its reason.
 * @returns The iterator; `return()` stops the stream on the other side.
 */
export function remoteStream(
  open: (signal: AbortSignal) => Promise<unknown>,
  describe: string,
  signal: AbortSignal | undefined,
): AsyncIterableIterator<unknown> & AsyncDisposable {
  return new RemoteStream(open, describe, signal);
}

class RemoteStream implements AsyncIterableIterator<unknown, unknown>, AsyncDisposable {
  readonly #open: (signal: AbortSignal) => Promise<unknown>;
  readonly #describe: string;
  readonly #signal: AbortSignal | undefined;
  readonly #controller = new AbortController();
  readonly #onAbort = () => this.#abort();
  #source: Promise<AsyncIterator<unknown, unknown>> | undefined;
  #isDone = false;

  constructor(
    open: (signal: AbortSignal) => Promise<unknown>,
    describe: string,
    signal: AbortSignal | undefined,
  ) {
    this.#open = open;
    this.#describe = describe;
    this.#signal = signal;
  }

  async next(): Promise<IteratorResult<unknown, unknown>> {
    if (this.#isDone) return { done: true, value: undefined };
    try {
      this.#signal?.throwIfAborted();
      this.#source ??= this.#call();
      const step = await (await this.#source).next();
      this.#signal?.throwIfAborted();
      if (step.done === true) this.#finish();
      return step;
    } catch (error) {
      this.#finish();
      throw error;
    }
  }

  async return(value?: unknown): Promise<IteratorResult<unknown, unknown>> {
    this.#finish();
    await this.#stop();
    return { done: true, value };
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

  #finish(): void {
    this.#isDone = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }

  #abort(): void {
    this.#controller.abort(this.#signal?.reason);
    void this.#stop();
  }

  /** Either the call is still open and aborts, or the stream is and stops. */
  async #stop(): Promise<void> {
    const source = this.#source;
    if (source === undefined) return;
    this.#controller.abort(this.#controller.signal.reason);
    await source.then((iterator) => iterator.return?.(), () => undefined);
  }

  async #call(): Promise<AsyncIterator<unknown, unknown>> {
    this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
    const result = await this.#open(this.#controller.signal);
    const iterator = (result as Partial<AsyncIterable<unknown>> | null | undefined)?.[Symbol.asyncIterator];
    if (typeof iterator === "function") return iterator.call(result);
    throw new TypeError(`Cannot iterate over "${this.#describe}" as it must return a stream: it does not`);
  }
}
