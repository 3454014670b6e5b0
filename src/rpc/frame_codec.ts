/**
 * Messages ⇄ frames: MessagePack with our extension types, and nothing decoded that was not scanned.
 *
 * @module
 */

import { Decoder, Encoder } from "@msgpack/msgpack";
import { LimitExceededError, ProtocolError } from "../errors.ts";
import { WarmBuffer } from "../transport/mod.ts";
import { FrameScanner, type ScanLimits } from "./frame_scan.ts";
import type { Message, RawMessage } from "./messages.ts";
import { wireExtensions } from "./wire_types.ts";

/** An encoder's buffer may stay this large for ever. */
const KEPT_BUFFER_BYTES = 256 * 1024;

/** Encodes and decodes the frames of one session. */
export class FrameCodec {
  #encoder: Encoder;
  readonly #decoder: Decoder;
  readonly #scanner: FrameScanner;
  readonly #maxDepth: number;
  readonly #encoded = new WarmBuffer(KEPT_BUFFER_BYTES);
  /** Whether the frame decoded last needs revival. */
  needsRevival = false;

  /**
   * @param limits Bounds on what is decoded.
   */
  constructor(limits: ScanLimits) {
    // Values are checked while they are prepared; this only stops what cannot happen.
    this.#maxDepth = limits.maxNesting + 16;
    this.#encoder = this.#newEncoder();
    this.#decoder = new Decoder({ extensionCodec: wireExtensions });
    this.#scanner = new FrameScanner(limits);
  }

  /**
   * Encode a message.
   *
   * @param message Prepared by a `ValueWriter` where it holds user values.
   * @param maxFrameBytes What the peer accepts.
   * @returns The frame. Borrowed: valid until the next call.
   * @throws {LimitExceededError} If it is larger than `maxFrameBytes`.
   */
  encode(message: Message, maxFrameBytes: number): Uint8Array {
    const frame = this.#encoder.encodeSharedRef(message);
    if (!this.#encoded.keeps(frame.length, frame.buffer.byteLength)) this.#encoder = this.#newEncoder();
    if (frame.length > maxFrameBytes) throw frameTooLarge(frame.length, maxFrameBytes);
    return frame;
  }

  /**
   * Decode a frame; `needsRevival` then tells about it.
   *
   * @param frame Payload of a frame, hostile.
   * @returns The message; nothing in it has been checked.
   * @throws {ProtocolError} If it is not one well-formed message.
   * @throws {LimitExceededError} If it is nested too deep or holds too many values.
   */
  decode(frame: Uint8Array): RawMessage {
    this.needsRevival = this.#scanner.scan(frame);
    let message: unknown;
    try {
      message = this.#decoder.decode(frame);
    } catch (error) {
      if (error instanceof ProtocolError) throw error;
      throw new ProtocolError("Cannot decode a frame as it must be MessagePack: it is not", { cause: error });
    }
    if (!Array.isArray(message)) {
      throw new ProtocolError("Cannot decode a frame as a message must be an array: it is not");
    }
    return message;
  }

  #newEncoder(): Encoder {
    return new Encoder({ extensionCodec: wireExtensions, maxDepth: this.#maxDepth });
  }
}

function frameTooLarge(asked: number, allowed: number): LimitExceededError {
  return new LimitExceededError(
    `Cannot send a message as "maxFrameBytes" is ${allowed}: it takes ${asked} bytes`,
    {
      limit: "maxFrameBytes",
      asked,
      allowed,
      hint: "Send large data as a stream or a tensor, or raise the limit on both sides",
    },
  );
}
