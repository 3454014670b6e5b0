/**
 * How one end hands memory to the other. There is one for shared memory on each side, and one that copies.
 *
 * @module
 */

import { LimitExceededError, ProtocolError } from "../errors.ts";
import type { Place } from "./place.ts";
import { Storage } from "./storage.ts";
import type { ValueContext } from "./types.ts";

/** One end of a connection, as far as memory is concerned. */
export interface TensorPort {
  /** Typed arrays of this size and more go through `snapshot()`; Infinity for none. */
  readonly arrayBytes: number;
  /**
   * Show the receiver these very bytes if that is possible, or else a copy.
   *
   * @param storage The bytes; the caller keeps its reference.
   * @param context Undone if the message is not sent.
   */
  lend(storage: Storage, context: ValueContext): Place;
  /** Give the receiver these bytes for good. The storage is released, or, if that throws, still the caller's. */
  give(storage: Storage, context: ValueContext): Place;
  /** Give the receiver a copy of these bytes. */
  snapshot(bytes: Uint8Array, context: ValueContext): Place;
  /**
   * Take what the peer has sent.
   *
   * @param place Where the peer says it is.
   * @param bytes How much there must be.
   * @param isOwn It must not change behind the receiver's back.
   * @param context Undone if the message is not delivered.
   * @returns The bytes; the caller releases them.
   * @throws {ProtocolError} If there is no such place.
   */
  receive(place: Place, bytes: number, isOwn: boolean, context: ValueContext): Storage;
}

/** What is in a message besides the bytes: its own header, and that of the tensor. */
const HEADER_BYTES = 1024;

/**
 * Copies bytes into messages.
 *
 * @param maxFrameBytes Size of the largest message; what cannot fit is refused before it is copied.
 * @returns The port.
 */
export function copyPort(maxFrameBytes: number): TensorPort {
  const copied = (bytes: Uint8Array): Place => {
    const asked = bytes.byteLength + HEADER_BYTES;
    if (asked > maxFrameBytes) throw tooLarge(bytes.byteLength, asked, maxFrameBytes);
    return inlinePlace(bytes);
  };
  return {
    // Smaller ones are the session's business; these get an error that says what to do.
    arrayBytes: Math.max(1, maxFrameBytes - HEADER_BYTES),
    lend: (storage) => copied(storage.bytesView()),
    give(storage) {
      const place = copied(storage.bytesView());
      storage.release();
      return place;
    },
    snapshot: copied,
    receive: (place, bytes) => receiveInline(place, bytes),
  };
}

function tooLarge(bytes: number, asked: number, allowed: number): LimitExceededError {
  const text =
    `Cannot copy ${bytes} bytes into a message as "maxFrameBytes" is ${allowed}: no memory is shared`;
  const mebibytes = 2 ** Math.ceil(Math.log2(asked / 2 ** 20));
  const orLarger = asked > MAX_INLINE_BYTES ? "" : `, or load the plugin with maxFrame: "${mebibytes}MiB"`;
  const hint = `Run the host with --allow-ffi, so that memory is shared${orLarger}`;
  return new LimitExceededError(text, { limit: "maxFrameBytes", asked, allowed, hint });
}

/** More than this is never put into a message: its frame would be refused anyway. */
const MAX_INLINE_BYTES = 2 ** 30;

/**
 * Bytes as a part of the message.
 *
 * @param bytes What to copy.
 * @returns The place.
 */
export function inlinePlace(bytes: Uint8Array): Place {
  if (bytes.byteLength > MAX_INLINE_BYTES) {
    throw new LimitExceededError(
      `Cannot put ${bytes.byteLength} bytes into a message as it holds ${MAX_INLINE_BYTES}`,
      {
        limit: "maxFrameBytes",
        asked: bytes.byteLength,
        allowed: MAX_INLINE_BYTES,
        hint: "Make it with host.tensor(), or tensor() in a plugin: memory that is shared is not copied",
      },
    );
  }
  const copy = new Uint8Array(bytes.byteLength);
  copy.set(bytes);
  return { kind: "inline", bytes: copy.buffer };
}

/**
 * Bytes that came in the message.
 *
 * @param place Where the peer says they are.
 * @param bytes How many there must be.
 * @returns Private memory.
 * @throws {ProtocolError} If they are not in the message, or not as many.
 */
export function receiveInline(place: Place, bytes: number): Storage {
  if (place.kind !== "inline") {
    throw new ProtocolError(`Cannot use a ${place.kind} as this connection shares no memory`);
  }
  if (place.bytes.byteLength !== bytes) {
    throw new ProtocolError(`Cannot make a tensor of ${bytes} bytes as ${place.bytes.byteLength} were sent`);
  }
  return new Storage({ buffer: place.bytes, bytes });
}
