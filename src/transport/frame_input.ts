/**
 * The incoming half of a socket: reads bytes and hands over whole frames.
 *
 * @module
 */

import { LimitExceededError, ProtocolError } from "../errors.ts";
import { frameLength, HEADER_BYTES, writeFrameLength } from "./frame_header.ts";
import type { BodyPlace, FrameBody, FrameReceiver } from "./types.ts";
import { WarmBuffer } from "./warm_buffer.ts";

/** The buffer returns to this size when large frames have become rare. */
const BUFFER_BYTES = 256 * 1024;
/** A large frame shows its body within so many bytes, or is read as a whole. */
const BODY_SEARCH_BYTES = 16 * 1024;

/** What an input needs of the transport around it. */
export interface InputParts {
  /** Read from; stays the caller's. */
  readonly connection: Deno.Conn;
  readonly maxFrameBytes: number;
  /** Nothing is handed over any more. */
  readonly isClosed: () => boolean;
  /** The answers to what was handed over should be written before more is. */
  readonly hasAnswers: () => boolean;
}

/** Reads the frames of one connection. */
export class FrameInput {
  readonly #parts: InputParts;
  readonly #warm = new WarmBuffer(BUFFER_BYTES);
  /** Of the frame that is being read, when it lies in memory of its own. */
  #body: FrameBody | undefined;
  #isSearched = false;
  /** There is more to hand over, but answers to write first. */
  #isInterrupted = false;
  #bytes = 0;
  #frames = 0;

  /**
   * @param parts Of the transport.
   */
  constructor(parts: InputParts) {
    this.#parts = parts;
  }

  /** Bytes read, heads included. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whole frames read. */
  get frames(): number {
    return this.#frames;
  }

  /**
   * Hand over every frame until the connection ends. Called once.
   *
   * @param receiver Gets the frames, but not the end.
   * @returns Resolves when the peer ended in order, or nothing is wanted any more.
   * @throws {ProtocolError} If a frame is larger than it may be, or the connection ends within one.
   */
  async readAll(receiver: FrameReceiver): Promise<void> {
    const { connection, isClosed } = this.#parts;
    let buffer = new Uint8Array(BUFFER_BYTES);
    let filled = 0;
    while (!isClosed()) {
      let taken = this.#deliver(receiver, buffer, 0, filled);
      while (this.#isInterrupted) {
        // Long enough for the writer to go on; a peer that does not read holds up nothing here.
        await undefined;
        taken = this.#deliver(receiver, buffer, taken, filled);
      }
      filled -= taken;
      const place = this.#bodyPlace(receiver, buffer.subarray(taken, taken + filled));
      if (place !== undefined) {
        filled = await this.#readBody(place, buffer, taken, filled);
        continue;
      }
      buffer = this.#makeRoom(buffer, taken, filled);
      const count = await connection.read(filled === 0 ? buffer : buffer.subarray(filled));
      if (count === null) {
        if (filled > 0) throw truncated(filled);
        return;
      }
      this.#bytes += count;
      filled += count;
    }
  }

  /** Hands over whole frames, all or until there are answers to write; returns where the first one left begins. */
  #deliver(receiver: FrameReceiver, buffer: Uint8Array, from: number, filled: number): number {
    const { maxFrameBytes, isClosed, hasAnswers } = this.#parts;
    let offset = from;
    this.#isInterrupted = false;
    while (filled - offset >= HEADER_BYTES && !isClosed()) {
      const length = frameLength(buffer, offset);
      if (length > maxFrameBytes) throw frameTooLarge(length, maxFrameBytes);
      const start = offset + HEADER_BYTES;
      if (filled - start < length) break;
      const body = this.#body;
      this.#frames++;
      this.#body = undefined;
      this.#isSearched = false;
      offset = start + length;
      receiver.onFrame(buffer.subarray(start, offset), body);
      if (hasAnswers()) {
        this.#isInterrupted = true;
        break;
      }
    }
    return offset;
  }

  /** Where the body of the frame is that has begun, if it is too large for the buffer. */
  #bodyPlace(receiver: FrameReceiver, begun: Uint8Array): BodyPlace | undefined {
    if (this.#isSearched || begun.length <= HEADER_BYTES) return undefined;
    const length = frameLength(begun, 0);
    if (HEADER_BYTES + length <= BUFFER_BYTES) return undefined;
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
      const count = await this.#parts.connection.read(bytes.subarray(have));
      if (count === null) throw truncated(left + have);
      this.#bytes += count;
      have += count;
    }
    this.#body = { at: place.at, bytes };
    return left;
  }

  /** Moves an incomplete frame to the front of a buffer that can hold it. */
  #makeRoom(buffer: Uint8Array<ArrayBuffer>, taken: number, filled: number): Uint8Array<ArrayBuffer> {
    let needed = filled < HEADER_BYTES ? HEADER_BYTES : HEADER_BYTES + frameLength(buffer, taken);
    // Its body may still come to light.
    if (!this.#isSearched) needed = Math.min(needed, BUFFER_BYTES);
    if (needed > buffer.length) return moved(buffer, taken, filled, needed);
    if (taken > 0 && needed <= BUFFER_BYTES && !this.#warm.keeps(taken, buffer.length)) {
      return moved(buffer, taken, filled, BUFFER_BYTES);
    }
    if (taken > 0 && filled > 0) buffer.copyWithin(0, taken, taken + filled);
    return buffer;
  }
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
