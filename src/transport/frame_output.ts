/**
 * The outgoing half of a socket: collects frames and writes them.
 *
 * @module
 */

import { HEADER_BYTES, writeFrameLength } from "./frame_header.ts";
import { copyPayload, payloadLength } from "./frame_parts.ts";
import type { FrameBody } from "./types.ts";
import { WarmBuffer } from "./warm_buffer.ts";

/** Buffers return to this size when large frames have become rare. */
const BUFFER_BYTES = 64 * 1024;
/** Up to this size a buffer that grew is kept in any case. */
const KEPT_BYTES = 256 * 1024;
/** So much of a large frame is on its way before the rest is copied. */
const BEGINNING_BYTES = 64 * 1024;
/** Many frames go in parts of this size: the peer reads one while the next is made. */
const PART_BYTES = 32 * 1024;
/** A writer that waits for `drained()` goes on below this. */
const LOW_WATER_BYTES = 256 * 1024;

/** Frames of one turn leave together, or in parts if they are many. */
export class FrameOutput {
  readonly #connection: Deno.Conn;
  readonly #onFailure: (error: unknown) => void;
  #hasStopped = false;
  // One buffer collects while the other is with the kernel.
  #collecting = new Uint8Array(BUFFER_BYTES);
  #collected = 0;
  #spare = new Uint8Array(BUFFER_BYTES);
  #inFlight = 0;
  readonly #warm = new WarmBuffer(KEPT_BYTES);
  #isScheduled = false;
  #isWriting = false;
  #drainWaiters: (() => void)[] = [];
  #flushWaiters: (() => void)[] = [];
  #bytes = 0;
  #frames = 0;

  /**
   * @param connection Written to; stays the caller's.
   * @param onFailure Called once when nothing can be written any more; `stop()` is called before it returns.
   */
  constructor(connection: Deno.Conn, onFailure: (error: unknown) => void) {
    this.#connection = connection;
    this.#onFailure = onFailure;
  }

  /** Bytes accepted and not yet given to the kernel. */
  get queuedBytes(): number {
    return this.#collected + this.#inFlight;
  }

  /** So much waits that whoever makes more had better let it be written first. */
  get hasPart(): boolean {
    return this.#collected >= PART_BYTES;
  }

  /** Bytes accepted, heads included. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Frames accepted. */
  get frames(): number {
    return this.#frames;
  }

  /**
   * Queue one frame.
   *
   * @param payload Copied before the call returns. Dropped after `stop()`.
   * @param bodies Further parts of it, in the order of their places; copied too.
   */
  send(payload: Uint8Array, bodies?: readonly FrameBody[]): void {
    if (this.#hasStopped) return;
    const length = payloadLength(payload, bodies);
    const start = this.#collected;
    const end = start + HEADER_BYTES + length;
    if (end > this.#collecting.length) this.#grow(end);
    const buffer = this.#collecting;
    writeFrameLength(buffer, start, length);
    this.#collected = end;
    this.#bytes += HEADER_BYTES + length;
    this.#frames++;
    const body = bodies?.[0];
    if (body !== undefined && body.bytes.length > 2 * BEGINNING_BYTES && start === 0 && !this.#isWriting) {
      return this.#begin(payload, body, bodies!.slice(1));
    }
    copyPayload(buffer, start + HEADER_BYTES, payload, bodies);
    if (this.#isWriting) return;
    if (end >= PART_BYTES) void this.#writeAll();
    else this.#schedule();
  }

  /** Resolves when the queue is short again, or the output stopped. */
  drained(): Promise<void> {
    if (this.#hasStopped || this.queuedBytes < LOW_WATER_BYTES) return Promise.resolve();
    return new Promise((resolve) => this.#drainWaiters.push(resolve));
  }

  /** Resolves when everything was given to the kernel, or the output stopped. */
  flushed(): Promise<void> {
    if (this.#hasStopped || this.queuedBytes === 0) return Promise.resolve();
    return new Promise((resolve) => this.#flushWaiters.push(resolve));
  }

  /** Drop what is queued, and everything that comes. Idempotent. */
  stop(): void {
    this.#hasStopped = true;
    this.#collected = 0;
    this.#inFlight = 0;
    this.#wake("drain");
    this.#wake("flush");
  }

  /** The peer wakes up and begins to read while the rest is copied. */
  #begin(payload: Uint8Array, { at, bytes }: FrameBody, others: readonly FrameBody[]): void {
    const buffer = this.#collecting;
    const beginning = { at, bytes: bytes.subarray(0, BEGINNING_BYTES) };
    copyPayload(buffer, HEADER_BYTES, payload.subarray(0, at), [beginning]);
    const begun = HEADER_BYTES + at + BEGINNING_BYTES;
    const write = this.#connection.write(buffer.subarray(0, begun));
    const rest = others.map((body) => ({ at: body.at - at, bytes: body.bytes }));
    copyPayload(buffer, begun, payload.subarray(at), [
      { at: 0, bytes: bytes.subarray(BEGINNING_BYTES) },
      ...rest,
    ]);
    void this.#writeAll(write);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(this.#flush);
  }

  readonly #flush = (): void => {
    this.#isScheduled = false;
    if (!this.#isWriting) void this.#writeAll();
  };

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, this.#collecting.length * 2));
    larger.set(this.#collecting.subarray(0, this.#collected));
    this.#collecting = larger;
  }

  /** Writes until nothing is left; `begun` is a write of what was collected first. */
  async #writeAll(begun?: Promise<number>): Promise<void> {
    let write = begun;
    this.#isWriting = true;
    try {
      while (this.#collected > 0 && !this.#hasStopped) {
        const buffer = this.#collecting;
        const length = this.#collected;
        this.#collecting = this.#spare;
        this.#collected = 0;
        this.#inFlight = length;
        for (let offset = 0; offset < length;) {
          const written = await (write ?? this.#connection.write(buffer.subarray(offset, length)));
          if (this.#hasStopped) return;
          write = undefined;
          offset += written;
          this.#inFlight -= written;
        }
        const kept = this.#warm.keeps(length, buffer.length) ? buffer : new Uint8Array(BUFFER_BYTES);
        // Memory that was just used is faster than memory that was not: go on in it.
        if (this.#collected > 0) this.#spare = kept;
        else {
          this.#spare = this.#collecting;
          this.#collecting = kept;
        }
        if (this.#drainWaiters.length > 0 && this.queuedBytes < LOW_WATER_BYTES) this.#wake("drain");
      }
      this.#isWriting = false;
      if (this.#flushWaiters.length > 0) this.#wake("flush");
    } catch (error) {
      this.#onFailure(error);
    }
  }

  #wake(what: "drain" | "flush"): void {
    const waiters = what === "drain" ? this.#drainWaiters : this.#flushWaiters;
    if (what === "drain") this.#drainWaiters = [];
    else this.#flushWaiters = [];
    for (const resolve of waiters) resolve();
  }
}
