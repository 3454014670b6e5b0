/**
 * The outgoing half of a connection: writes frames, checks what the peer accepts, and queues.
 *
 * @module
 */

import { copyPayload, type FrameTransport } from "../transport/mod.ts";
import { LimitExceededError } from "../errors.ts";
import { frameTooLarge } from "./byte_writer.ts";
import type { Message } from "./messages.ts";
import type { SignalOwner } from "./signal_table.ts";
import { describeMessage } from "./trace.ts";
import type { FrameTrace } from "./types.ts";
import type { ValueWriter, WriterLimits } from "./value_writer.ts";

/** What a sender needs of its session. */
export interface SenderParts {
  readonly transport: FrameTransport;
  /** Makes a writer: one is enough unless writing a value sends another message. */
  readonly makeWriter: () => ValueWriter;
  readonly maxQueuedBytes: number;
  readonly trace: FrameTrace | undefined;
}

/** Sends the messages of one session. */
export class FrameSender {
  readonly #parts: SenderParts;
  readonly #writers: ValueWriter[] = [];
  /** Messages that are being written: a custom encoder or a getter may send one while another is written. */
  #writing = 0;
  /** Those that wait for the outermost message, in the order in which they were begun: numbers only grow. */
  #held: (Uint8Array | undefined)[] = [];
  /** What the peer accepts. */
  limits: WriterLimits;

  /**
   * @param parts Of the session.
   * @param limits Until the peer has told its own.
   */
  constructor(parts: SenderParts, limits: WriterLimits) {
    this.#parts = parts;
    this.limits = limits;
  }

  /**
   * Queue a message.
   *
   * @param message Its fields may be any values; read before this returns.
   * @param root What its value is called in errors, such as `"$.args"`.
   * @param owner The call that signals among the values belong to; without it there may be none.
   * @returns Size of its frame in bytes.
   * @throws {SerializationError} If a value cannot cross; what the message opened is taken back, here and below.
   * @throws {LimitExceededError} If it is too large, or too much waits already.
   */
  send(message: Message, root = "$", owner?: SignalOwner): number {
    const level = this.#writing++;
    const slot = level === 0 ? -1 : this.#held.push(undefined) - 1;
    const writer = this.#writers[level] ??= this.#parts.makeWriter();
    try {
      const frame = writer.write(message, root, this.limits, owner);
      const { length } = writer;
      this.#check(length);
      this.#parts.trace?.("out", describeMessage(message, length));
      if (level === 0) this.#parts.transport.send(frame, writer.bodies());
      else copyPayload(this.#held[slot] = new Uint8Array(length), 0, frame, writer.bodies());
      writer.commit();
      return length;
    } catch (error) {
      writer.rollback();
      throw error;
    } finally {
      this.#writing--;
      if (level === 0 && this.#held.length > 0) this.#sendHeld();
    }
  }

  #check(length: number): void {
    const { maxFrameBytes } = this.limits;
    if (length > maxFrameBytes) throw frameTooLarge(length, maxFrameBytes);
    const { maxQueuedBytes, transport } = this.#parts;
    const queued = transport.queuedBytes + length;
    if (queued > maxQueuedBytes) throw queueFull(queued, maxQueuedBytes);
  }

  #sendHeld(): void {
    const held = this.#held;
    this.#held = [];
    for (const frame of held) if (frame !== undefined) this.#parts.transport.send(frame);
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
