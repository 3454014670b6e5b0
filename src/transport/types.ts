/**
 * What carries frames between two processes.
 *
 * @module
 */

import type { ProtocolError } from "../errors.ts";

/** A large part of a frame's payload that lies in memory of its own. */
export interface FrameBody {
  /** Where it belongs: its offset in the payload without any body. */
  readonly at: number;
  /** The part itself. */
  readonly bytes: Uint8Array;
}

/** Where a frame's body will be, before it has arrived. */
export interface BodyPlace {
  /** Its offset in the payload. */
  readonly at: number;
  /** Its length in bytes. */
  readonly length: number;
}

/** Receives what a transport reads. No method may throw. */
export interface FrameReceiver {
  /**
   * One frame arrived.
   *
   * @param frame Payload without its length, and without its body. Borrowed: valid only until the call returns.
   * @param body What `findBody()` named, owned by the receiver from now on.
   */
  onFrame(frame: Uint8Array, body?: FrameBody): void;
  /**
   * A frame begins that does not fit the transport's memory. What it carries in one piece can be read straight into
   * memory of its own, so that it never has to be copied.
   *
   * @param beginning As much of its payload as is there. Borrowed, hostile.
   * @param length Of its whole payload, which is within bounds.
   * @returns Where the piece is, within the payload; undefined if there is none, or it is not yet to be seen.
   */
  findBody?(beginning: Uint8Array, length: number): BodyPlace | undefined;
  /**
   * What arrived is no frame. Nothing more is read, but frames can still be sent: whoever implements this closes the
   * transport. Without it the transport closes itself.
   *
   * @param error Which rule the peer broke.
   */
  onBroken?(error: ProtocolError): void;

  /**
   * The connection ended. Called once, last.
   *
   * @param error What went wrong; null when either side closed in order.
   */
  onClosed(error: Error | null): void;
}

/** What went over a transport so far. */
export interface TransportCounters {
  /** Bytes read, frame headers included. */
  readonly bytesIn: number;
  /** Bytes accepted for sending, frame headers included. */
  readonly bytesOut: number;
  /** Whole frames read. */
  readonly framesIn: number;
  /** Frames accepted for sending. */
  readonly framesOut: number;
}

/** Ordered, whole frames in both directions. Owns what is below it. */
export interface FrameTransport {
  /**
   * Begin to read. Called once.
   *
   * @param receiver Gets every frame, and the end.
   */
  start(receiver: FrameReceiver): void;
  /**
   * Queue one frame. Frames of one turn of the event loop leave together.
   *
   * @param payload Copied before the call returns. Dropped when the transport is closed.
   * @param bodies Further parts of it, in the order of their places; copied too.
   */
  send(payload: Uint8Array, bodies?: readonly FrameBody[]): void;
  /** Bytes accepted and not yet given to the kernel. */
  readonly queuedBytes: number;
  /** What went over so far. */
  readonly counters: TransportCounters;
  /** Resolves when the queue is short again, or the transport closed. */
  drained(): Promise<void>;
  /** Resolves when everything sent so far was given to the kernel, or the transport closed. */
  flushed(): Promise<void>;
  /** Close at once; what is queued is dropped. Idempotent. */
  close(): void;
}

/** Bounds that a transport checks before it allocates. */
export interface TransportLimits {
  /** Largest payload of a frame in bytes. @default 16 MiB */
  readonly maxFrameBytes?: number;
}
