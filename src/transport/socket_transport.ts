/**
 * Frames over a connected socket: u32 little-endian length, then the payload.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import { FrameInput } from "./frame_input.ts";
import { FrameOutput } from "./frame_output.ts";
import type {
  FrameBody,
  FrameReceiver,
  FrameTransport,
  TransportCounters,
  TransportLimits,
} from "./types.ts";

const DEFAULT_MAX_FRAME_BYTES = 16 * 1024 * 1024;
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
  readonly #input: FrameInput;
  readonly #output: FrameOutput;
  #receiver: FrameReceiver | null = null;
  #closed = false;
  #deafTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(connection: Deno.Conn, maxFrameBytes: number) {
    this.#connection = connection;
    this.#output = new FrameOutput(connection, (error) => {
      if (isPeerGone(error)) this.#expectEnd();
      else this.#end(asError(error));
    });
    this.#input = new FrameInput({
      connection,
      maxFrameBytes,
      isClosed: () => this.#closed,
      hasAnswers: () => this.#output.hasPart,
    });
  }

  get queuedBytes(): number {
    return this.#output.queuedBytes;
  }

  get counters(): TransportCounters {
    return {
      bytesIn: this.#input.bytes,
      bytesOut: this.#output.bytes,
      framesIn: this.#input.frames,
      framesOut: this.#output.frames,
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
    this.#output.send(payload, bodies);
  }

  drained(): Promise<void> {
    return this.#output.drained();
  }

  flushed(): Promise<void> {
    return this.#output.flushed();
  }

  close(): void {
    this.#end(null);
  }

  async #readAll(receiver: FrameReceiver): Promise<void> {
    try {
      await this.#input.readAll(receiver);
      this.#end(null);
    } catch (error) {
      if (error instanceof ProtocolError && receiver.onBroken !== undefined) receiver.onBroken(error);
      else this.#end(isPeerGone(error) ? null : asError(error));
    }
  }

  /** The peer reads no more. What it sent before may still be unread, so the reader sees the end by itself. */
  #expectEnd(): void {
    this.#output.stop();
    if (this.#closed) return;
    const error = new ProtocolError(
      "Cannot write a frame as the peer shut down its reading side: it is still connected",
    );
    this.#deafTimer = setTimeout(() => this.#end(error), DEAF_PEER_MS);
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
    this.#output.stop();
    this.#receiver?.onClosed(error);
  }
}

/** The other process is gone or we closed: an end, not a failure. */
function isPeerGone(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
