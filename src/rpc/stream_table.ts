/**
 * The streams of one session: what we write for the peer, and what we read of it.
 *
 * @module
 */

import { LimitExceededError, ProtocolError } from "../errors.ts";
import { StreamInbox, type StreamReaderWire } from "./stream_inbox.ts";
import type { AmbientStore, CallContext } from "./types.ts";
import { type StreamLimits, StreamPump, type StreamWriterWire } from "./stream_pump.ts";

/** A call whose result holds streams. */
export interface StreamOwner {
  /** One more is open. */
  streamOpened(): void;
  /** One has ended. */
  streamEnded(): void;
}

/** A served call whose result holds streams. */
export interface ServedStreams extends StreamOwner, CallContext {
  /** The reader stopped one. */
  abort(reason: unknown): void;
}

/** What a table needs of its session. */
export interface StreamWire extends StreamWriterWire, StreamReaderWire {}

/** Bounds of a table. */
export interface StreamTableLimits extends StreamLimits {
  /** Streams open in one direction. */
  readonly maxStreams: number;
  /** Bytes that wait to be read, all streams together. */
  readonly maxQueuedBytes: number;
}

/** Both directions of the streams of one session. */
export class StreamTable {
  readonly #wire: StreamWire;
  readonly #limits: StreamTableLimits;
  readonly #ambient: AmbientStore;
  readonly #pumps = new Map<number, StreamPump>();
  readonly #inboxes = new Map<number, StreamInbox>();
  readonly #forgotten = new FinalizationRegistry<StreamInbox>((inbox) => inbox.cancel(undefined));
  #lastOpened = 0;
  #lastAccepted = 0;
  #unreadBytes = 0;
  /** The call whose result is being read: it lives until the streams in it have ended. */
  awaitedCall: StreamOwner | undefined;
  /** The call whose result is being written: as above, and its signal aborts when the reader stops its stream. */
  servedCall: ServedStreams | undefined;
  /** How far the peer lets us run ahead. */
  peerWindow: StreamLimits;

  /**
   * @param wire Sends for the streams.
   * @param limits Bounds on what is read, and on what runs ahead.
   * @param ambient Carries the call that a generator belongs to.
   */
  constructor(wire: StreamWire, limits: StreamTableLimits, ambient: AmbientStore) {
    this.#wire = wire;
    this.#ambient = ambient;
    this.#limits = limits;
    this.peerWindow = limits;
  }

  /** Streams that we write. */
  get writing(): number {
    return this.#pumps.size;
  }

  /** Streams that we read: not those that were left and have yet to end. */
  get reading(): number {
    return [...this.#inboxes.values()].filter((inbox) => !inbox.isCancelled).length;
  }

  /**
   * Begin to write a stream; its first item leaves after the frame that announces it.
   *
   * @param source Iterated once.
   * @returns Its number.
   * @throws {LimitExceededError} If too many are open.
   */
  open(source: AsyncIterable<unknown>): number {
    this.#checkRoom(this.#pumps.size);
    const id = ++this.#lastOpened;
    const call = this.servedCall;
    const pump = new StreamPump(id, source, this.peerWindow, this.#wire, {
      ended: () => {
        if (this.#pumps.delete(id)) call?.streamEnded();
      },
      stopped: (reason) => call?.abort(reason),
    });
    this.#pumps.set(id, pump);
    call?.streamOpened();
    // With its call as context, so that a generator finds its signal.
    const run = call === undefined
      ? () => void pump.run()
      : () => void this.#ambient.run(call, () => pump.run());
    queueMicrotask(run);
    return id;
  }

  /**
   * The frame that announced a stream was not sent.
   *
   * @param id What `open()` gave.
   */
  takeBack(id: number): void {
    this.#pumps.get(id)?.abandon();
  }

  /**
   * A stream of the peer was announced.
   *
   * @param id The peer's number.
   * @param isReadable It was a ReadableStream there, and becomes one here.
   * @returns An iterator, or a ReadableStream.
   * @throws {ProtocolError} If the number is not a new one.
   * @throws {LimitExceededError} If too many are open.
   */
  accept(id: number, isReadable: boolean): AsyncIterableIterator<unknown> | ReadableStream<unknown> {
    if (id <= this.#lastAccepted) {
      throw new ProtocolError(`Cannot open stream ${id} as numbers only grow: it is not new`);
    }
    this.#lastAccepted = id;
    const call = this.awaitedCall;
    call?.streamOpened();
    const inbox = new StreamInbox(id, this.#limits, this.#wire, {
      ended: () => {
        this.#inboxes.delete(id);
        call?.streamEnded();
      },
      took: (bytes) => void (this.#unreadBytes -= bytes),
    });
    if (this.#inboxes.size >= this.#limits.maxStreams) {
      this.#inboxes.set(id, inbox);
      inbox.cancel(undefined);
      this.#checkRoom(this.#inboxes.size);
    }
    this.#inboxes.set(id, inbox);
    const stream = isReadable ? readableStream(inbox) : inbox.iterator();
    this.#forgotten.register(stream, inbox);
    return stream;
  }

  /**
   * An announced stream never reached user code.
   *
   * @param id The peer's number.
   */
  refuse(id: number): void {
    this.#inboxes.get(id)?.cancel(undefined);
  }

  /** The stream that an item or end belongs to. */
  inbox(id: unknown): StreamInbox {
    const inbox = typeof id === "number" ? this.#inboxes.get(id) : undefined;
    if (inbox === undefined) {
      throw new ProtocolError(
        `Cannot take a stream item as stream ${String(id)} is not open: it ended or never began`,
      );
    }
    return inbox;
  }

  /**
   * An item arrived.
   *
   * @param inbox From `inbox()`.
   * @param value Revived.
   * @param bytes Size of its frame.
   */
  push(inbox: StreamInbox, value: unknown, bytes: number): void {
    if (inbox.isCancelled) return;
    if (this.#unreadBytes + bytes > this.#limits.maxQueuedBytes) {
      inbox.cancel(undefined, unreadTooLarge(this.#unreadBytes + bytes, this.#limits.maxQueuedBytes));
      return;
    }
    this.#unreadBytes += bytes;
    inbox.push(value, bytes);
  }

  /** The reader consumed items. Late credit for a finished stream is no error. */
  credit(id: unknown, items: unknown): void {
    if (!isCount(items)) {
      throw new ProtocolError("Cannot take credit as it must be a positive integer: it is not");
    }
    this.#pump(id)?.credit(items);
  }

  /** The reader wants no more. */
  stop(id: unknown, reason: unknown): void {
    this.#pump(id)?.stop(reason);
  }

  /** The peer is gone: readers fail, writers are told to return. */
  clear(error: Error): void {
    for (const inbox of this.#inboxes.values()) inbox.fail(error);
    this.#inboxes.clear();
    for (const pump of this.#pumps.values()) pump.stop(error);
    this.#pumps.clear();
  }

  #pump(id: unknown): StreamPump | undefined {
    if (isCount(id) && id <= this.#lastOpened) return this.#pumps.get(id);
    throw new ProtocolError(`Cannot find stream ${String(id)} as it was never opened: it is unknown`);
  }

  #checkRoom(size: number): void {
    if (size < this.#limits.maxStreams) return;
    throw new LimitExceededError(
      `Cannot open a stream as "maxStreams" is ${this.#limits.maxStreams}: it is reached`,
      {
        limit: "maxStreams",
        asked: size + 1,
        allowed: this.#limits.maxStreams,
      },
    );
  }
}

function readableStream(inbox: StreamInbox): ReadableStream<unknown> {
  return new ReadableStream<unknown>({
    pull: async (controller) => {
      const step = await inbox.next();
      if (step.done === true) controller.close();
      else controller.enqueue(step.value);
    },
    cancel: (reason) => inbox.cancel(reason),
  }, { highWaterMark: 0 });
}

function unreadTooLarge(asked: number, allowed: number): LimitExceededError {
  return new LimitExceededError(
    `Cannot take a stream item as "maxQueuedBytes" is ${allowed}: that much is unread`,
    {
      limit: "maxQueuedBytes",
      asked,
      allowed,
    },
  );
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 1;
}
