/**
 * Frames over a connected socket: u32 little-endian length, then the payload.
 *
 * @module
 */

import { LimitExceededError, ProtocolError } from "../errors.ts";
import { copyPayload, payloadLength } from "./frame_parts.ts";
import { WarmBuffer } from "./warm_buffer.ts";
import type {
  BodyPlace,
  FrameBody,
  FrameReceiver,
  FrameTransport,
  TransportCounters,
  TransportLimits,
} from "./types.ts";

const HEADER_BYTES = 4;
const DEFAULT_MAX_FRAME_BYTES = 16 * 1024 * 1024;
/** Buffers return to these sizes when large frames have become rare. */
const READ_BUFFER_BYTES = 256 * 1024;
const WRITE_BUFFER_BYTES = 64 * 1024;
/** So much of a large frame is on its way before the rest is copied. */
const BEGINNING_BYTES = 64 * 1024;
/** A large frame shows its body within so many bytes, or is read as a whole. */
const BODY_SEARCH_BYTES = 16 * 1024;
/** A writer that waits for `drained()` goes on below this. */
const LOW_WATER_BYTES = 256 * 1024;
/** A peer that stopped reading but keeps the connection is cut off after this. */
const DEAF_PEER_MS = 1000;

/**
 * A transport over a stream socket.
 *
 * @param connection Connected socket; owned by the transport from now on.
 * @param limits Bounds on what the peer may send.
 * @returns A transport that has not begun to read.
 *
 * @example
 * ```ts
 * import { socketTransport } from "./socket_transport.ts";
 *
 * const directory = await Deno.makeTempDir();
 * const path = `${directory}/socket`;
 * using listener = Deno.listen({ transport: "unix", path });
 * const transport = socketTransport(await Deno.connect({ transport: "unix", path }));
 * transport.start({ onFrame: (frame) => transport.send(frame), onClosed: () => {} });
 * (await listener.accept()).close();
 * transport.close();
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export function socketTransport(connection: Deno.Conn, limits: TransportLimits = {}): FrameTransport {
  return new SocketTransport(connection, limits.maxFrameBytes ?? DEFAULT_MAX_FRAME_BYTES);
}

class SocketTransport implements FrameTransport {
  readonly #connection: Deno.Conn;
  readonly #maxFrameBytes: number;
  #receiver: FrameReceiver | null = null;
  #closed = false;
  // One buffer collects while the other is with the kernel.
  #collecting = new Uint8Array(WRITE_BUFFER_BYTES);
  #collected = 0;
  #spare = new Uint8Array(WRITE_BUFFER_BYTES);
  #inFlight = 0;
  readonly #written = new WarmBuffer(READ_BUFFER_BYTES);
  readonly #read = new WarmBuffer(READ_BUFFER_BYTES);
  /** Of the frame that is being read, when it lies in memory of its own. */
  #body: FrameBody | undefined;
  #isSearched = false;
  #isFlushing = false;
  #isPeerDeaf = false;
  #deafTimer: ReturnType<typeof setTimeout> | undefined;
  #drainWaiters: (() => void)[] = [];
  #flushWaiters: (() => void)[] = [];
  #bytesIn = 0;
  #bytesOut = 0;
  #framesIn = 0;
  #framesOut = 0;
  readonly #flush = () => void this.#writeAll();

  constructor(connection: Deno.Conn, maxFrameBytes: number) {
    this.#connection = connection;
    this.#maxFrameBytes = maxFrameBytes;
  }

  get queuedBytes(): number {
    return this.#collected + this.#inFlight;
  }

  get counters(): TransportCounters {
    return {
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      framesIn: this.#framesIn,
      framesOut: this.#framesOut,
    };
  }

  start(receiver: FrameReceiver): void {
    if (this.#receiver !== null) {
      throw new TypeError("Cannot start a transport as it reads once: started already");
    }
    this.#receiver = receiver;
    if (this.#closed) queueMicrotask(() => receiver.onClosed(null));
    else void this.#readAll(receiver);
  }

  send(payload: Uint8Array, bodies?: readonly FrameBody[]): void {
    if (this.#closed || this.#isPeerDeaf) return;
    const length = payloadLength(payload, bodies);
    const start = this.#collected;
    const end = start + HEADER_BYTES + length;
    if (end > this.#collecting.length) this.#grow(end);
    const buffer = this.#collecting;
    writeFrameLength(buffer, start, length);
    this.#collected = end;
    this.#bytesOut += HEADER_BYTES + length;
    this.#framesOut++;
    const body = bodies?.[0];
    if (body !== undefined && body.bytes.length > 2 * BEGINNING_BYTES && start === 0 && !this.#isFlushing) {
      return this.#begin(payload, body, bodies!.slice(1));
    }
    copyPayload(buffer, start + HEADER_BYTES, payload, bodies);
    if (!this.#isFlushing) {
      this.#isFlushing = true;
      queueMicrotask(this.#flush);
    }
  }

  /** The peer wakes up and begins to read while the rest is copied. */
  #begin(payload: Uint8Array, { at, bytes }: FrameBody, others: readonly FrameBody[]): void {
    const buffer = this.#collecting;
    const beginning = { at, bytes: bytes.subarray(0, BEGINNING_BYTES) };
    copyPayload(buffer, HEADER_BYTES, payload.subarray(0, at), [beginning]);
    const begun = HEADER_BYTES + at + BEGINNING_BYTES;
    this.#isFlushing = true;
    const write = this.#connection.write(buffer.subarray(0, begun));
    const rest = others.map((body) => ({ at: body.at - at, bytes: body.bytes }));
    copyPayload(buffer, begun, payload.subarray(at), [
      { at: 0, bytes: bytes.subarray(BEGINNING_BYTES) },
      ...rest,
    ]);
    void this.#writeAll(write);
  }

  drained(): Promise<void> {
    if (this.#closed || this.queuedBytes < LOW_WATER_BYTES) return Promise.resolve();
    return new Promise((resolve) => this.#drainWaiters.push(resolve));
  }

  flushed(): Promise<void> {
    if (this.#closed || this.queuedBytes === 0) return Promise.resolve();
    return new Promise((resolve) => this.#flushWaiters.push(resolve));
  }

  close(): void {
    this.#end(null);
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, this.#collecting.length * 2));
    larger.set(this.#collecting.subarray(0, this.#collected));
    this.#collecting = larger;
  }

  /** Writes until nothing is left; `begun` is a write of what was collected first. */
  async #writeAll(begun?: Promise<number>): Promise<void> {
    let write = begun;
    try {
      while (this.#collected > 0 && !this.#closed) {
        const buffer = this.#collecting;
        const length = this.#collected;
        this.#collecting = this.#spare;
        this.#collected = 0;
        this.#inFlight = length;
        for (let offset = 0; offset < length;) {
          const written = await (write ?? this.#connection.write(buffer.subarray(offset, length)));
          write = undefined;
          offset += written;
          this.#inFlight -= written;
        }
        const kept = this.#written.keeps(length, buffer.length) ? buffer : new Uint8Array(WRITE_BUFFER_BYTES);
        // Memory that was just used is faster than memory that was not: go on in it.
        if (this.#collected > 0) this.#spare = kept;
        else {
          this.#spare = this.#collecting;
          this.#collecting = kept;
        }
        if (this.#drainWaiters.length > 0 && this.queuedBytes < LOW_WATER_BYTES) this.#wake("drain");
      }
      this.#isFlushing = false;
      if (this.#flushWaiters.length > 0) this.#wake("flush");
    } catch (error) {
      if (isPeerGone(error)) this.#expectEnd();
      else this.#end(asError(error));
    }
  }

  /** The peer reads no more. What it sent before may still be unread, so the reader sees the end by itself. */
  #expectEnd(): void {
    this.#isPeerDeaf = true;
    this.#dropQueue();
    if (this.#closed) return;
    const error = new ProtocolError(
      "Cannot write a frame as the peer shut down its reading side: it is still connected",
    );
    this.#deafTimer = setTimeout(() => this.#end(error), DEAF_PEER_MS);
  }

  async #readAll(receiver: FrameReceiver): Promise<void> {
    let buffer = new Uint8Array(READ_BUFFER_BYTES);
    let filled = 0;
    try {
      while (!this.#closed) {
        const taken = this.#deliver(receiver, buffer, filled);
        filled -= taken;
        const place = this.#bodyPlace(receiver, buffer.subarray(taken, taken + filled));
        if (place !== undefined) {
          filled = await this.#readBody(place, buffer, taken, filled);
          continue;
        }
        buffer = this.#makeRoom(buffer, taken, filled);
        const count = await this.#connection.read(filled === 0 ? buffer : buffer.subarray(filled));
        if (count === null) {
          if (filled > 0) throw truncated(filled);
          break;
        }
        this.#bytesIn += count;
        filled += count;
      }
      this.#end(null);
    } catch (error) {
      this.#end(isPeerGone(error) ? null : asError(error));
    }
  }

  /** Hands over every whole frame; returns how many bytes they took. */
  #deliver(receiver: FrameReceiver, buffer: Uint8Array, filled: number): number {
    let offset = 0;
    while (filled - offset >= HEADER_BYTES && !this.#closed) {
      const length = frameLength(buffer, offset);
      if (length > this.#maxFrameBytes) throw frameTooLarge(length, this.#maxFrameBytes);
      const start = offset + HEADER_BYTES;
      if (filled - start < length) break;
      const body = this.#body;
      this.#framesIn++;
      this.#body = undefined;
      this.#isSearched = false;
      offset = start + length;
      receiver.onFrame(buffer.subarray(start, offset), body);
    }
    return offset;
  }

  /** Where the body of the frame is that has begun, if it is too large for the buffer. */
  #bodyPlace(receiver: FrameReceiver, begun: Uint8Array): BodyPlace | undefined {
    if (this.#isSearched || begun.length <= HEADER_BYTES) return undefined;
    const length = frameLength(begun, 0);
    if (HEADER_BYTES + length <= READ_BUFFER_BYTES) return undefined;
    const place = receiver.findBody?.(begun.subarray(HEADER_BYTES), length);
    this.#isSearched = place !== undefined || begun.length >= BODY_SEARCH_BYTES;
    return place;
  }

  /**
   * Reads a body into memory of its own. What is left in the buffer is a frame without it, whose end may still be to
   * come; returns its length so far.
   */
  async #readBody(place: BodyPlace, buffer: Uint8Array, taken: number, filled: number): Promise<number> {
    const bytes = new Uint8Array(place.length);
    const head = HEADER_BYTES + place.at;
    let have = Math.min(filled - head, bytes.length);
    bytes.set(buffer.subarray(taken + head, taken + head + have));
    writeFrameLength(buffer, taken, frameLength(buffer, taken) - bytes.length);
    buffer.copyWithin(0, taken, taken + head);
    buffer.copyWithin(head, taken + head + have, taken + filled);
    const left = filled - have;
    while (have < bytes.length) {
      const count = await this.#connection.read(bytes.subarray(have));
      if (count === null) throw truncated(left + have);
      this.#bytesIn += count;
      have += count;
    }
    this.#body = { at: place.at, bytes };
    return left;
  }

  /** Moves an incomplete frame to the front of a buffer that can hold it. */
  #makeRoom(buffer: Uint8Array<ArrayBuffer>, taken: number, filled: number): Uint8Array<ArrayBuffer> {
    let needed = filled < HEADER_BYTES ? HEADER_BYTES : HEADER_BYTES + frameLength(buffer, taken);
    // Its body may still come to light.
    if (!this.#isSearched) needed = Math.min(needed, READ_BUFFER_BYTES);
    if (needed > buffer.length) return moved(buffer, taken, filled, needed);
    if (taken > 0 && needed <= READ_BUFFER_BYTES && !this.#read.keeps(taken, buffer.length)) {
      return moved(buffer, taken, filled, READ_BUFFER_BYTES);
    }
    if (taken > 0 && filled > 0) buffer.copyWithin(0, taken, taken + filled);
    return buffer;
  }

  #end(error: Error | null): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#deafTimer);
    try {
      this.#connection.close();
    } catch (closing) {
      if (!(closing instanceof Deno.errors.BadResource)) throw closing;
    }
    this.#dropQueue();
    this.#receiver?.onClosed(error);
  }

  #dropQueue(): void {
    this.#collected = 0;
    this.#inFlight = 0;
    this.#wake("drain");
    this.#wake("flush");
  }

  #wake(what: "drain" | "flush"): void {
    const waiters = what === "drain" ? this.#drainWaiters : this.#flushWaiters;
    if (what === "drain") this.#drainWaiters = [];
    else this.#flushWaiters = [];
    for (const resolve of waiters) resolve();
  }
}

function frameLength(buffer: Uint8Array, offset: number): number {
  return (buffer[offset]! | buffer[offset + 1]! << 8 | buffer[offset + 2]! << 16 |
    buffer[offset + 3]! << 24) >>> 0;
}

function writeFrameLength(buffer: Uint8Array, offset: number, length: number): void {
  buffer[offset] = length;
  buffer[offset + 1] = length >>> 8;
  buffer[offset + 2] = length >>> 16;
  buffer[offset + 3] = length >>> 24;
}

function moved(
  buffer: Uint8Array<ArrayBuffer>,
  from: number,
  length: number,
  size: number,
): Uint8Array<ArrayBuffer> {
  const fresh = new Uint8Array(size);
  fresh.set(buffer.subarray(from, from + length));
  return fresh;
}

function frameTooLarge(asked: number, allowed: number): ProtocolError {
  return new ProtocolError(`Cannot read a frame as "maxFrameBytes" is ${allowed}: its header says ${asked}`, {
    cause: new LimitExceededError("Cannot read a frame", { limit: "maxFrameBytes", asked, allowed }),
  });
}

function truncated(bytes: number): ProtocolError {
  return new ProtocolError(`Cannot read a frame as the connection ended within it: after ${bytes} bytes`);
}

/** The other process is gone or we closed: an end, not a failure. */
function isPeerGone(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
