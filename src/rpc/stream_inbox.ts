/**
 * Reads one stream: keeps what arrived until user code asks for it, and grants credit for what it took.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import type { StreamLimits } from "./stream_pump.ts";

/** What a reader sends. */
export interface StreamReaderWire {
  /** Grant the writer `items` more. */
  sendCredit(stream: number, items: number): void;
  /** Tell the writer to stop. */
  sendStop(stream: number, reason: unknown): void;
}

/** What an inbox tells its table. */
export interface InboxEvents {
  /** The writer's end arrived; nothing more comes. */
  ended(): void;
  /** Items left the queue. */
  took(bytes: number): void;
}

interface Waiter {
  readonly resolve: (step: IteratorResult<unknown, unknown>) => void;
  readonly reject: (error: unknown) => void;
}

type End = { readonly value: unknown } | { readonly error: unknown };

/** One stream that we read. */
export class StreamInbox {
  readonly #id: number;
  readonly #limits: StreamLimits;
  readonly #wire: StreamReaderWire;
  readonly #events: InboxEvents;
  readonly #queue: { readonly value: unknown; readonly bytes: number }[] = [];
  readonly #waiters: Waiter[] = [];
  #queuedBytes = 0;
  #owedItems = 0;
  #end: End | undefined;
  #isCancelled = false;

  /**
   * @param id The writer's number.
   * @param limits How far the writer may run ahead.
   * @param wire Sends.
   * @param events Told about the end and about taken items.
   */
  constructor(id: number, limits: StreamLimits, wire: StreamReaderWire, events: InboxEvents) {
    this.#id = id;
    this.#limits = limits;
    this.#wire = wire;
    this.#events = events;
  }

  /** Nobody reads any more; what still arrives is dropped. */
  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /**
   * The next item.
   *
   * @returns The item, or the end.
   * @throws What the writer's source threw.
   */
  next(): Promise<IteratorResult<unknown, unknown>> {
    const item = this.#queue.shift();
    if (item !== undefined) {
      this.#took(item.bytes);
      return Promise.resolve({ done: false, value: item.value });
    }
    if (this.#end !== undefined) return this.#finish(this.#end);
    if (this.#owedItems > 0) this.#grant();
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /**
   * An item arrived.
   *
   * @param value Revived.
   * @param bytes Size of its frame.
   * @throws {ProtocolError} If the writer ran further ahead than it may.
   */
  push(value: unknown, bytes: number): void {
    const { streamWindowItems, streamWindowBytes } = this.#limits;
    if (this.#queue.length >= streamWindowItems || this.#queuedBytes >= streamWindowBytes) {
      throw new ProtocolError(
        `Cannot take a stream item as stream ${this.#id} has no credit: its window is full`,
      );
    }
    const waiter = this.#waiters.shift();
    if (waiter === undefined) {
      this.#queue.push({ value, bytes });
      this.#queuedBytes += bytes;
      return;
    }
    this.#queuedBytes += bytes;
    this.#took(bytes);
    waiter.resolve({ done: false, value });
  }

  /**
   * The writer's end arrived.
   *
   * @param end In order with the generator's result, or with an error.
   */
  finish(end: End): void {
    this.#events.ended();
    this.#settle(end);
  }

  /**
   * The peer is gone, or the stream cannot go on. What arrived before can still be read.
   *
   * @param error What later reads reject with.
   */
  fail(error: Error): void {
    this.#settle({ error });
  }

  /**
   * Nobody wants more: tell the writer, drop what is queued. Its end still arrives.
   *
   * @param reason Told to the writer.
   * @param error What later reads reject with; without it they are at the end.
   */
  cancel(reason: unknown, error?: Error): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    this.#events.took(this.#queuedBytes);
    this.#queuedBytes = 0;
    this.#queue.length = 0;
    const isOver = this.#end !== undefined;
    this.#settle(error === undefined ? { value: undefined } : { error });
    if (!isOver) this.#wire.sendStop(this.#id, reason);
  }

  /** An iterator over the stream. Does not keep the inbox from being cancelled when user code drops it. */
  iterator(): AsyncIterableIterator<unknown, unknown> & AsyncDisposable {
    return new StreamIterator(this);
  }

  #settle(end: End): void {
    this.#end ??= end;
    for (const waiter of this.#waiters.splice(0)) this.#finish(this.#end).then(waiter.resolve, waiter.reject);
  }

  #finish(end: End): Promise<IteratorResult<unknown, unknown>> {
    // The end is told once; afterwards the iterator is merely done.
    this.#end = { value: undefined };
    return "error" in end ? Promise.reject(end.error) : Promise.resolve({ done: true, value: end.value });
  }

  #took(bytes: number): void {
    this.#queuedBytes -= bytes;
    this.#events.took(bytes);
    this.#owedItems++;
    if (this.#owedItems * 2 >= this.#limits.streamWindowItems) this.#grant();
  }

  #grant(): void {
    const items = this.#owedItems;
    this.#owedItems = 0;
    if (this.#end === undefined) this.#wire.sendCredit(this.#id, items);
  }
}

class StreamIterator implements AsyncIterableIterator<unknown, unknown>, AsyncDisposable {
  readonly #inbox: StreamInbox;

  constructor(inbox: StreamInbox) {
    this.#inbox = inbox;
  }

  next(): Promise<IteratorResult<unknown, unknown>> {
    return this.#inbox.next();
  }

  return(value?: unknown): Promise<IteratorResult<unknown, unknown>> {
    this.#inbox.cancel(undefined);
    return Promise.resolve({ done: true, value });
  }

  throw(error?: unknown): Promise<IteratorResult<unknown, unknown>> {
    this.#inbox.cancel(error);
    return Promise.reject(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#inbox.cancel(undefined);
    return Promise.resolve();
  }
}
