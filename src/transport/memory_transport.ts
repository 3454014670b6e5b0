/**
 * Two transports joined in memory, for tests and for plugins in the host's own process.
 *
 * @module
 */

import { copyPayload, payloadLength } from "./frame_parts.ts";
import type { FrameBody, FrameReceiver, FrameTransport, TransportCounters } from "./types.ts";

/**
 * Two connected transports. What one sends arrives at the other in a later microtask.
 *
 * @returns Both ends.
 *
 * @example
 * ```ts
 * import { memoryTransportPair } from "./memory_transport.ts";
 *
 * const [left, right] = memoryTransportPair();
 * right.start({ onFrame: (frame) => right.send(frame), onClosed: () => {} });
 * left.start({ onFrame: () => left.close(), onClosed: () => {} });
 * left.send(new Uint8Array([1]));
 * ```
 */
export function memoryTransportPair(): [FrameTransport, FrameTransport] {
  const left = new MemoryTransport();
  const right = new MemoryTransport();
  left.join(right);
  right.join(left);
  return [left, right];
}

const HEADER_BYTES = 4;

class MemoryTransport implements FrameTransport {
  // Itself until joined.
  #peer: MemoryTransport = this;
  #receiver: FrameReceiver | null = null;
  #closed = false;
  #inbox: Uint8Array[] = [];
  #isDelivering = false;
  #queuedBytes = 0;
  #waiters: (() => void)[] = [];
  #bytesIn = 0;
  #bytesOut = 0;
  #framesIn = 0;
  #framesOut = 0;

  join(peer: MemoryTransport): void {
    this.#peer = peer;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
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
    else this.#schedule();
  }

  send(payload: Uint8Array, bodies?: readonly FrameBody[]): void {
    if (this.#closed) return;
    const frame = new Uint8Array(payloadLength(payload, bodies));
    copyPayload(frame, 0, payload, bodies);
    this.#bytesOut += HEADER_BYTES + frame.length;
    this.#framesOut++;
    this.#queuedBytes += frame.length;
    this.#peer.#inbox.push(frame);
    this.#peer.#schedule();
  }

  drained(): Promise<void> {
    return this.flushed();
  }

  flushed(): Promise<void> {
    if (this.#closed || this.#queuedBytes === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  close(): void {
    this.#end();
    // What was sent before the close still arrives there.
    this.#peer.#schedule();
  }

  #schedule(): void {
    if (this.#isDelivering || this.#receiver === null || this.#closed) return;
    this.#isDelivering = true;
    queueMicrotask(() => this.#deliver());
  }

  #deliver(): void {
    this.#isDelivering = false;
    const frames = this.#inbox;
    this.#inbox = [];
    for (const frame of frames) {
      if (this.#closed) return;
      this.#bytesIn += HEADER_BYTES + frame.length;
      this.#framesIn++;
      this.#receiver?.onFrame(frame);
      this.#peer.#taken(frame.length);
    }
    if (this.#peer.#closed === true && this.#inbox.length === 0) this.#end();
  }

  #taken(bytes: number): void {
    this.#queuedBytes -= bytes;
    if (this.#queuedBytes === 0) this.#wake();
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#inbox = [];
    this.#queuedBytes = 0;
    this.#wake();
    this.#receiver?.onClosed(null);
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }
}
