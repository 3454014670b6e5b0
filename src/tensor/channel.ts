/**
 * Short messages between a host and a guest about shared memory, some of them with a descriptor.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import type { ChannelCalls } from "../native/types.ts";
import type { Clock } from "./types.ts";

/** What a message is about. */
export const MessageKind = {
  /**
   * Host: here is memory, with a descriptor. `id` its grant, `a` its bytes, `b` its purpose, `c` the lease or the
   * request that it belongs to, flag 1: map it privately.
   */
  grant: 1,
  /** Guest: give me `a` bytes. `id` numbers the request. */
  request: 2,
  /** Host: no. `id` of the request, `a` asked, `b` free, `c` limit. */
  refuse: 3,
  /** Guest: I have let go of what was granted as `id`. */
  giveBack: 4,
  /** I have taken what you sent as lease `id`. */
  picked: 5,
  /** I do not need what you sent as lease `id` any more. */
  released: 6,
  /** I do not keep what I sent as lease `id` any longer, unless you have taken it. */
  expired: 7,
} as const;

/** What granted memory is for. */
export const Purpose = {
  /** Something that the host sends. */
  lent: 0,
  /** The answer to a request. */
  made: 1,
  /** Where the guest puts small things: the answer to a request too. */
  guestArena: 2,
  /** Where the host puts small things. */
  hostArena: 3,
} as const;

/** Flag of a grant: changes by the receiver are its own. */
export const FLAG_PRIVATE = 1;
/** Flag of a request: it is for the guest's arena. */
export const FLAG_ARENA = 1;

/** One message. All numbers are integers of 0 or more. */
export interface ChannelMessage {
  /** One of `MessageKind`. */
  readonly kind: number;
  /** Bits; their meaning depends on the kind. */
  readonly flags?: number;
  /** What it is about. */
  readonly id: number;
  readonly a?: number;
  readonly b?: number;
  readonly c?: number;
}

/** A message that came in. */
export interface IncomingMessage extends Required<ChannelMessage> {
  /** The descriptor that came with it, the receiver's from now on, or -1. */
  readonly fd: number;
}

const MESSAGE_BYTES = 40;
const RETRY_MS = 20;
const SOON_MS = 3;
/** So many messages do not wait for others any more. */
const MAX_LATE = 32;
/** A peer that has so many messages to read does not read. */
const MAX_BACKLOG = 65_536;

/** A message that has not been sent yet. */
interface Waiting {
  readonly bytes: Uint8Array;
  fd: number;
  /** The descriptor is a duplicate that belongs to the backlog. */
  isOwnFd: boolean;
}

/** One end of a channel. Owns its descriptor. */
export class Channel implements Disposable {
  readonly #native: ChannelCalls;
  readonly #fd: number;
  readonly #clock: Clock;
  readonly #onOverflow: () => void;
  readonly #buffer = new Uint8Array(MESSAGE_BYTES);
  readonly #backlog: Waiting[] = [];
  #late = 0;
  #cancelRetry: (() => void) | null = null;
  #pendingWait: Promise<boolean> | null = null;
  #isOpen = true;

  /**
   * @param native The native library.
   * @param fd This end's descriptor.
   * @param clock Time.
   * @param onOverflow The peer has not read for so long that the channel was closed.
   */
  constructor(native: ChannelCalls, fd: number, clock: Clock, onOverflow: () => void = () => {}) {
    this.#native = native;
    this.#onOverflow = onOverflow;
    this.#fd = fd;
    this.#clock = clock;
  }

  /** Nothing was closed yet, here or there. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Send a message, now or as soon as there is room. Messages keep their order. A closed channel drops them.
   *
   * @param message The message.
   * @param fd A descriptor to pass, the caller's to close at any time.
   */
  send(message: ChannelMessage, fd: number = -1): void {
    if (!this.#isOpen) return;
    const waiting = { bytes: encoded(message), fd, isOwnFd: false };
    this.#backlog.push(waiting);
    this.#late = 0;
    this.flush();
    if (fd >= 0 && this.#backlog.includes(waiting)) this.#keep(waiting);
    if (this.#backlog.length <= MAX_BACKLOG) return;
    this.#end();
    this.#onOverflow();
  }

  /**
   * Send a message within some milliseconds, together with others: each time that the peer wakes up for one costs more
   * than the message. Messages keep their order.
   *
   * @param message The message.
   */
  sendSoon(message: ChannelMessage): void {
    if (!this.#isOpen) return;
    this.#backlog.push({ bytes: encoded(message), fd: -1, isOwnFd: false });
    if (++this.#late > MAX_LATE) {
      this.#late = 0;
      this.flush();
    } else this.#retryLater(SOON_MS);
  }

  /** Send what has not been sent yet. */
  flush(): void {
    for (let next = this.#backlog[0]; next !== undefined && this.#isOpen; next = this.#backlog[0]) {
      if (!this.#trySend(next)) return this.#retryLater(RETRY_MS);
      this.#backlog.shift();
      this.#forget(next);
    }
  }

  /**
   * The next message that has come in.
   *
   * @returns The message, or null if there is none now.
   * @throws {ProtocolError} If the peer sent something else than a message.
   */
  receive(): IncomingMessage | null {
    if (!this.#isOpen) return null;
    const received = this.#receive();
    if (received === null) return null;
    if (received.bytes === 0) {
      this.#end();
      return null;
    }
    const message = received.bytes === MESSAGE_BYTES ? decoded(this.#buffer, received.fd) : null;
    if (message !== null) return message;
    if (received.fd >= 0) this.#native.close(received.fd);
    throw new ProtocolError("Cannot read a message about shared memory as its form is wrong");
  }

  /**
   * Wait in this thread for a message.
   *
   * @param timeoutMs How long at most.
   * @returns Whether there is one.
   */
  wait(timeoutMs: number): boolean {
    return this.#isOpen && this.#native.waitReadable(this.#fd, timeoutMs);
  }

  /**
   * Read messages in this thread until there is what was looked for.
   *
   * @param find Finds it.
   * @param read Reads what has come in.
   * @param timeoutMs How long at most.
   * @returns What was found, or null.
   */
  awaited<T>(find: () => T | null, read: () => void, timeoutMs: number): T | null {
    const until = this.#clock.now() + timeoutMs;
    for (let left = timeoutMs; left > 0 && this.#isOpen; left = until - this.#clock.now()) {
      this.flush();
      if (!this.wait(Math.ceil(Math.min(left, 20)))) continue;
      read();
      const found = find();
      if (found !== null) return found;
    }
    return find();
  }

  /**
   * Wait for a message.
   *
   * @returns Whether there may be one; false when the channel ended.
   */
  async readable(): Promise<boolean> {
    if (!this.#isOpen) return false;
    this.#pendingWait = this.#native.readable(this.#fd);
    try {
      return await this.#pendingWait && this.#isOpen;
    } finally {
      this.#pendingWait = null;
    }
  }

  /** End the channel. The descriptor is closed at once, or when nobody waits on it any more. */
  [Symbol.dispose](): void {
    this.#end();
  }

  #end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#backlog.splice(0).forEach((waiting) => this.#forget(waiting));
    this.#cancelRetry?.();
    const close = (): void => this.#native.close(this.#fd);
    if (this.#pendingWait === null) return close();
    this.#native.shutdown(this.#fd);
    this.#pendingWait.then(close, close);
  }

  /** A peer that does not read can end what a waiting message is about: its number could then name another file. */
  #keep(waiting: Waiting): void {
    waiting.fd = this.#native.duplicate(waiting.fd);
    waiting.isOwnFd = true;
  }

  #forget(waiting: Waiting): void {
    if (waiting.isOwnFd) this.#native.close(waiting.fd);
    waiting.isOwnFd = false;
  }

  #trySend({ bytes, fd }: Waiting): boolean {
    try {
      return this.#native.send(this.#fd, bytes, fd);
    } catch (error) {
      // The peer is gone: its session says so, with the reason.
      if (isPeerGone(error)) this.#end();
      else throw error;
      return true;
    }
  }

  #receive(): { readonly bytes: number; readonly fd: number } | null {
    try {
      return this.#native.receive(this.#fd, this.#buffer);
    } catch (error) {
      if (isPeerGone(error)) return { bytes: 0, fd: -1 };
      throw new ProtocolError("Cannot read a message about shared memory as it breaks the form", {
        cause: error,
      });
    }
  }

  #retryLater(delayMs: number): void {
    this.#cancelRetry ??= this.#clock.schedule(delayMs, () => {
      this.#cancelRetry = null;
      this.flush();
    });
  }
}

function isPeerGone(error: unknown): boolean {
  return error instanceof Error && "errno" in error &&
    (error.errno === "EPIPE" || error.errno === "ECONNRESET");
}

function encoded(message: ChannelMessage): Uint8Array {
  const view = new DataView(new ArrayBuffer(MESSAGE_BYTES));
  view.setUint32(0, message.kind, true);
  view.setUint32(4, message.flags ?? 0, true);
  [message.id, message.a ?? 0, message.b ?? 0, message.c ?? 0].forEach((value, index) => {
    view.setFloat64(8 + 8 * index, value, true);
  });
  return new Uint8Array(view.buffer);
}

function decoded(bytes: Uint8Array, fd: number): IncomingMessage | null {
  const view = new DataView(bytes.buffer);
  const [id = -1, a = -1, b = -1, c = -1] = [0, 1, 2, 3].map((index) => view.getFloat64(8 + 8 * index, true));
  if (![id, a, b, c].every((value) => Number.isSafeInteger(value) && value >= 0)) return null;
  return { kind: view.getUint32(0, true), flags: view.getUint32(4, true), id, a, b, c, fd };
}
