/**
 * Writes one stream: pulls its source as far as the reader's credit goes.
 *
 * @module
 */

/** How far a writer may run ahead of its reader. */
export interface StreamLimits {
  /** Items not yet consumed. */
  readonly streamWindowItems: number;
  /** Bytes not yet consumed; one item always passes. */
  readonly streamWindowBytes: number;
}

/** What a writer sends. */
export interface StreamWriterWire {
  /** Send an item; gives the size of its frame. Throws if the item cannot cross. */
  sendItem(stream: number, value: unknown): number;
  /** Send the end: in order with the generator's result, or with an error. */
  sendEnd(stream: number, end: { readonly value: unknown } | { readonly error: unknown }): void;
  /** Resolves when the connection's queue is short. */
  drained(): Promise<void>;
}

/** What a pump tells its table. */
export interface PumpEvents {
  /** The stream is over: nothing more is sent but its end. */
  ended(): void;
  /** The reader wants no more. */
  stopped(reason: unknown): void;
}

type End = Parameters<StreamWriterWire["sendEnd"]>[1];

/** One stream that we write. */
export class StreamPump {
  readonly #id: number;
  readonly #source: AsyncIterable<unknown>;
  readonly #window: StreamLimits;
  readonly #wire: StreamWriterWire;
  readonly #events: PumpEvents;
  /** Sizes of the items that the reader has not consumed, oldest first. */
  readonly #unread: number[] = [];
  #unreadBytes = 0;
  #isStopped = false;
  #isAbandoned = false;
  #iterator: AsyncIterator<unknown> | Iterator<unknown> | undefined;
  #wake: (() => void) | undefined;

  /**
   * @param id Number of the stream.
   * @param source Iterated once.
   * @param window How far it may run ahead.
   * @param wire Sends.
   * @param events Told about its end.
   */
  constructor(
    id: number,
    source: AsyncIterable<unknown>,
    window: StreamLimits,
    wire: StreamWriterWire,
    events: PumpEvents,
  ) {
    this.#id = id;
    this.#source = source;
    this.#window = window;
    this.#wire = wire;
    this.#events = events;
  }

  /** Write until the source ends, fails, or the reader stops it. Never rejects. */
  async run(): Promise<void> {
    let end: End;
    try {
      end = { value: await this.#writeAll() };
    } catch (error) {
      end = { error };
    }
    this.#events.ended();
    if (!this.#isAbandoned) this.#wire.sendEnd(this.#id, end);
  }

  /**
   * The reader consumed items.
   *
   * @param items How many; more than were sent count as all.
   */
  credit(items: number): void {
    for (const bytes of this.#unread.splice(0, items)) this.#unreadBytes -= bytes;
    this.#resume();
  }

  /**
   * The reader wants no more: the source's `return()` runs.
   *
   * @param reason Why.
   */
  stop(reason: unknown): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#events.stopped(reason);
    void this.#leave();
    this.#resume();
  }

  /** The stream was never announced: end it without a word. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#events.ended();
    this.stop(undefined);
  }

  /** A generator that waits inside itself returns when it comes back; a stream is cancelled at once. */
  async #leave(): Promise<void> {
    try {
      await this.#iterator?.return?.();
    } catch {
      // Nobody reads any more who could be told.
    }
  }

  async #writeAll(): Promise<unknown> {
    if (this.#isStopped) return undefined;
    const source = this.#source as AsyncIterable<unknown> & Partial<Iterable<unknown>>;
    const iterator = source[Symbol.asyncIterator]?.() ?? source[Symbol.iterator]!();
    this.#iterator = iterator;
    for (;;) {
      await this.#credit();
      if (this.#isStopped) return undefined;
      const step = await iterator.next();
      if (this.#isStopped) return undefined;
      if (step.done === true) return step.value;
      await this.#send(step.value);
    }
  }

  async #send(value: unknown): Promise<void> {
    let bytes: number;
    try {
      bytes = this.#wire.sendItem(this.#id, value);
    } catch (error) {
      // The reader learns at once why there is no more, however long the source takes to return.
      void this.#leave();
      throw error;
    }
    this.#unread.push(bytes);
    this.#unreadBytes += bytes;
    await this.#wire.drained();
  }

  async #credit(): Promise<void> {
    while (
      !this.#isStopped && this.#unread.length > 0 &&
      (this.#unread.length >= this.#window.streamWindowItems ||
        this.#unreadBytes >= this.#window.streamWindowBytes)
    ) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  #resume(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
