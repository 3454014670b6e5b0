/**
 * Messages between a host and the thread in a sandbox that talks to the runtime's end for debuggers.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";

/** The source of a large bundle is one message. What is longer is no message but an attempt to fill the host. */
const MAX_MESSAGE_BYTES = 2 ** 28;

/** Length (u32, little endian) and text, one after the other, both ways. */
export class InspectorFrames implements Disposable, AsyncIterable<string> {
  readonly #connection: Deno.UnixConn;
  #last: Promise<void> = Promise.resolve();
  #isClosed = false;

  /** @param connection Owned from now on. */
  constructor(connection: Deno.UnixConn) {
    this.#connection = connection;
  }

  /** Sends a message after those before it; to a sandbox that is gone it sends nothing. */
  send(message: string): void {
    const text = new TextEncoder().encode(message);
    const frame = new Uint8Array(4 + text.length);
    new DataView(frame.buffer).setUint32(0, text.length, true);
    frame.set(text, 4);
    this.#last = this.#last.then(async () => {
      for (let sent = 0; sent < frame.length && !this.#isClosed;) {
        sent += await this.#connection.write(frame.subarray(sent));
      }
    }).catch(() => this[Symbol.dispose]());
  }

  /** Every message until the connection ends. */
  async *[Symbol.asyncIterator](): AsyncIterator<string> {
    const decoder = new TextDecoder();
    while (true) {
      const head = await this.#read(4);
      if (head === null) return;
      const length = new DataView(head.buffer).getUint32(0, true);
      if (length > MAX_MESSAGE_BYTES) {
        throw new ProtocolError(`Cannot read a debugger's message of ${length} bytes as it is too long`);
      }
      const text = await this.#read(length);
      if (text === null) return;
      yield decoder.decode(text);
    }
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#connection.close();
  }

  /** @returns Exactly so many bytes; null at the end. */
  async #read(length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    const bytes = new Uint8Array(length);
    for (let filled = 0; filled < length;) {
      const count = this.#isClosed ? null : await this.#connection.read(bytes.subarray(filled));
      if (count === null) return null;
      filled += count;
    }
    return bytes;
  }
}
