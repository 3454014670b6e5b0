/**
 * The outgoing half of a connection: encodes, checks what the peer accepts, and queues.
 *
 * @module
 */

import type { FrameTransport } from "../transport/mod.ts";
import { LimitExceededError } from "../errors.ts";
import type { FrameCodec } from "./frame_codec.ts";
import { describeMessage } from "./trace.ts";
import type { Message } from "./messages.ts";
import type { FrameTrace } from "./types.ts";
import type { ValueWriter } from "./value_writer.ts";

/** Sends the messages of one session. */
export class FrameSender {
  readonly #transport: FrameTransport;
  readonly #codec: FrameCodec;
  readonly #maxQueuedBytes: number;
  readonly #trace: FrameTrace | undefined;
  /** What the peer accepts. */
  maxFrameBytes: number;
  /** Set before the first value is sent. */
  writer!: ValueWriter;

  /**
   * @param transport Where frames go.
   * @param codec Shared with the incoming half.
   * @param options Bounds, and a trace.
   */
  constructor(
    transport: FrameTransport,
    codec: FrameCodec,
    options: {
      readonly maxQueuedBytes: number;
      readonly maxFrameBytes: number;
      readonly trace: FrameTrace | undefined;
    },
  ) {
    this.#transport = transport;
    this.#codec = codec;
    this.#maxQueuedBytes = options.maxQueuedBytes;
    this.#trace = options.trace;
    this.maxFrameBytes = options.maxFrameBytes;
  }

  /**
   * Queue a message that holds no user value.
   *
   * @param message The message.
   * @returns Size of its frame in bytes.
   * @throws {LimitExceededError} If it is too large, or too much waits already.
   */
  send(message: Message): number {
    const frame = this.#codec.encode(message, this.maxFrameBytes);
    const length = frame.length;
    const queued = this.#transport.queuedBytes + length;
    if (queued > this.#maxQueuedBytes) throw queueFull(queued, this.#maxQueuedBytes);
    if (this.#trace !== undefined) this.#trace("out", describeMessage(message, length));
    this.#transport.send(frame);
    return length;
  }

  /**
   * Queue a message around values that `writer` prepared.
   *
   * @param message The message.
   * @returns Size of its frame in bytes.
   * @throws {LimitExceededError} As `send()`; what the values opened is then taken back.
   */
  sendWritten(message: Message): number {
    let length: number;
    try {
      length = this.send(message);
    } catch (error) {
      this.writer.rollback();
      throw error;
    }
    this.writer.commit();
    return length;
  }
}

function queueFull(asked: number, allowed: number): LimitExceededError {
  return new LimitExceededError(
    `Cannot send a message as "maxQueuedBytes" is ${allowed}: the peer does not read`,
    {
      limit: "maxQueuedBytes",
      asked,
      allowed,
    },
  );
}
