/**
 * What carries frames between two processes.
 *
 * @module
 */

/** Receives what a transport reads. Neither method may throw. */
export interface FrameReceiver {
  /**
   * One frame arrived.
   *
   * @param frame Payload without its length. Borrowed: valid only until the call returns.
   */
  onFrame(frame: Uint8Array): void;
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
   */
  send(payload: Uint8Array): void;
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
